"""What a recipe is told: frozen, checked in full before anything runs, and free of PyTorch.

One model is at once the YAML file's schema, a job's payload and `config.json` of a run folder.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, TypeAdapter, model_validator

from models.labels import LabelKind
from models.manifest import ALIAS_PATTERN
from models.preprocessing import Interpolation, Preprocessing, Resize

Fraction = Annotated[float, Field(ge=0, le=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
Alias = Annotated[str, Field(pattern=ALIAS_PATTERN)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Config(BaseModel):
    """Base of every configuration: frozen, unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BackboneName(StrEnum):
    """The backbones there are; `training.backbone.BACKBONES` builds them."""

    RESNET18 = "resnet18"
    RESNET50 = "resnet50"
    RESNET101 = "resnet101"
    VGG16_BN = "vgg16_bn"
    VGG19_BN = "vgg19_bn"
    MOBILENET_V2 = "mobilenet_v2"


class RandomWeights(Config):
    """Start from the backbone's own random initialisation."""

    source: Literal["random"] = "random"


class FileWeights(Config):
    """Start from a file of weights in torchvision's key names (.safetensors, .pth)."""

    source: Literal["file"] = "file"
    path: Path


class TorchvisionWeights(Config):
    """Start from torchvision's own ImageNet weights, downloaded once."""

    source: Literal["torchvision"] = "torchvision"


Weights = Annotated[RandomWeights | FileWeights | TorchvisionWeights, Field(discriminator="source")]


class BackboneConfig(Config):
    """A backbone and where its weights come from."""

    name: BackboneName
    weights: Weights = RandomWeights()


class DatasetConfig(Config):
    """One canonical data set and the kinds of label that are taken from it."""

    name: Name
    kinds: tuple[LabelKind, ...] = Field(min_length=1)
    multi_at_least: Fraction | None = Field(
        None,
        description="Derive multi labels: a label holds where its share is at least this much",
    )
    repeat: PositiveInt = Field(1, description="How often one epoch visits the training part")

    @model_validator(mode="after")
    def _kinds_are_distinct(self) -> Self:
        if len(set(self.kinds)) != len(self.kinds):
            raise ValueError(f"kinds must be distinct, got {[str(kind) for kind in self.kinds]}")
        if self.multi_at_least is not None and LabelKind.MULTI not in self.kinds:
            raise ValueError("multi_at_least is set but 'multi' is not among the kinds")
        return self


class ImageConfig(Config):
    """Image sizes in pixels and the normalisation the backbone's weights expect."""

    size: PositiveInt = Field(256, description="Side every image is resized to")
    train_crop: PositiveInt = Field(224, description="Side of the random crop in training")
    resize: Resize = Resize.SQUASH
    interpolation: Interpolation = Interpolation.BILINEAR
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

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


class SgdConfig(Config):
    """Stochastic gradient descent with momentum; the paper's choice."""

    name: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 1e-3
    head_learning_rate: PositiveFloat | None = Field(None, description="None: the same")
    momentum: Fraction = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4


class AdamWConfig(Config):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019)."""

    name: Literal["adamw"] = "adamw"
    learning_rate: PositiveFloat = 2e-4
    head_learning_rate: PositiveFloat | None = Field(None, description="None: the same")
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2


Optimizer = Annotated[SgdConfig | AdamWConfig, Field(discriminator="name")]


class StepSchedule(Config):
    """The learning rate is multiplied by `factor` every `every_epochs` epochs."""

    name: Literal["step"] = "step"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    every_epochs: PositiveInt = 10
    factor: Fraction = 0.1


class CosineSchedule(Config):
    """The learning rate falls along half a cosine to `final_fraction` of its start."""

    name: Literal["cosine"] = "cosine"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    final_fraction: Fraction = 0.01


Schedule = Annotated[StepSchedule | CosineSchedule, Field(discriminator="name")]


class Precision(StrEnum):
    """Arithmetic of the forward pass; weights and losses are always float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class ComputeConfig(Config):
    """Where and how a run computes; results on the CPU repeat bit for bit for the same settings."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = Field(
        Precision.AUTO, description="auto: bfloat16 on CUDA devices that have it, else float32"
    )
    loader_workers: Annotated[int, Field(ge=0, le=64)] = 2


class FinetuneConfig(Config):
    """Train a backbone with a label head for each kind of label the data sets offer."""

    recipe: Literal["finetune"] = "finetune"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    backbone: BackboneConfig
    datasets: tuple[DatasetConfig, ...] = Field(min_length=1)
    image: ImageConfig = ImageConfig()
    dropout: Fraction = 0.0
    loss_weights: dict[LabelKind, PositiveFloat] = Field(
        default_factory=dict, description="Weight of each kind's loss; 1 where none is given"
    )
    batch_size: PositiveInt = 32
    epochs: PositiveInt = 30
    optimizer: Optimizer = SgdConfig()
    schedule: Schedule = StepSchedule()
    checkpoint_every_s: PositiveFloat = Field(300.0, description="Seconds between checkpoints")
    compute: ComputeConfig = ComputeConfig()


class EvaluateConfig(Config):
    """Score a trained run's best weights, or a bundle, on one split of its data sets."""

    recipe: Literal["evaluate"] = "evaluate"
    run: Path | None = Field(None, description="Run folder of a fine-tuning")
    bundle: Path | None = Field(None, description="Bundle folder")
    datasets: tuple[DatasetConfig, ...] = Field(min_length=1)
    split: Literal["train", "val", "test"] = "test"
    batch_size: PositiveInt = 32
    compute: ComputeConfig = ComputeConfig()

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.run is None) == (self.bundle is None):
            raise ValueError("give either run or bundle: what is to be evaluated")
        return self


class ExportConfig(Config):
    """Turn a fine-tuned run into a bundle, through the gates, and publish it as a new version."""

    recipe: Literal["export"] = "export"
    run: Path = Field(description="Run folder of a fine-tuning")
    name: Name = Field("default", description="Model name in the registry")
    registry: Path = Field(Path("var/models"), description="Root of the writable registry")
    alias: Alias | None = Field("production", description="Alias moved to the new version")
    notes: Path | None = Field(None, description="Markdown that opens the model card")
    int8: bool = Field(True, description="Also make a static INT8 graph, where it passes the gate")
    calibration_images: PositiveInt = 256
    parity_images: Annotated[int, Field(ge=64)] = 128
    compute: ComputeConfig = ComputeConfig()


RecipeConfig = Annotated[
    FinetuneConfig | EvaluateConfig | ExportConfig, Field(discriminator="recipe")
]
RECIPE_CONFIG: TypeAdapter[FinetuneConfig | EvaluateConfig | ExportConfig] = TypeAdapter(
    RecipeConfig
)
