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
    train_crop: PositiveInt = Field(224, description="Side of the random crop in training")
    train_min_area: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="Crops show from this share of the image to all of it, scaled to train_crop; "
        "none: crops are not scaled",
    )
    resize: Resize = Resize.SQUASH
    interpolation: Interpolation = Interpolation.BILINEAR
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.train_crop > self.size:
            raise ValueError(f"train_crop {self.train_crop} is larger than size {self.size}")
        self.preprocessing()  # has limits of its own
        return self

    def preprocessing(self) -> Preprocessing:
        """The evaluation's pre-processing: the whole image when squashed, else its centre."""
        return Preprocessing(
            resize=self.resize,
            size=self.size,
            crop=None if self.resize is Resize.SQUASH else self.size,
            interpolation=self.interpolation,
            mean=self.mean,
            std=self.std,
        )
