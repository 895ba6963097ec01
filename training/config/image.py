"""Image sizes and normalisation."""

from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator

from models.preprocessing import Interpolation, Preprocessing, Resize
from training.config.fields import Config

Triple = tuple[float, float, float]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageConfig(Config):
    """Image sizes in pixels and the normalisation the backbone's weights expect."""

    size: PositiveInt = Field(256, description="Side every image is resized to")
    eval_size: PositiveInt | None = Field(
        None,
        description="Side in evaluation and in the exported model, where it is not `size`: after "
        "training on scaled crops, images may be judged better at another one",
    )
    train_crop: PositiveInt = Field(224, description="Side of the random crop in training")
    train_min_area: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="Crops show from this share of the image to all of it, scaled to train_crop; "
        "none: crops are not scaled",
    )
    resize: Resize = Field(Resize.SQUASH, description="How an image becomes a square")
    interpolation: Interpolation = Field(
        Interpolation.BILINEAR, description="How pixels are weighed in resizing"
    )
    mean: Triple = Field(IMAGENET_MEAN, description="Taken from red, green and blue in [0, 1]")
    std: Triple = Field(IMAGENET_STD, description="What they are divided by afterwards")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.train_crop > self.size:
            raise ValueError(f"train_crop {self.train_crop} is larger than size {self.size}")
        for spec in (self.preprocessing, self.training_preprocessing):
            spec()  # has limits of its own
        return self

    def preprocessing(self) -> Preprocessing:
        """The evaluation's pre-processing: the whole image when squashed, else its centre.

        Training and evaluation may differ in size: Touvron et al., "Fixing the train-test
        resolution discrepancy", NeurIPS 2019.
        """
        return self._preprocessing(self.eval_size or self.size)

    def training_preprocessing(self) -> Preprocessing:
        """What comes before training's random crop."""
        return self._preprocessing(self.size)

    def _preprocessing(self, size: int) -> Preprocessing:
        return Preprocessing(
            resize=self.resize,
            size=size,
            crop=None if self.resize is Resize.SQUASH else size,
            interpolation=self.interpolation,
            mean=self.mean,
            std=self.std,
        )
