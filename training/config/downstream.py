"""What trains on labelled images: fine-tuning, and the amalgamation of three teachers."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from models.labels import LabelKind
from training.config.backbone import BackboneConfig, RandomWeights, Weights
from training.config.datasets import DatasetConfig
from training.config.fields import Config, Fraction, NonNegativeFloat, PositiveFloat, Seed
from training.config.image import ImageConfig
from training.config.optimization import (
    ComputeConfig,
    Optimizer,
    Schedule,
    SgdConfig,
    StepSchedule,
)


class BatchNorm(StrEnum):
    """What BatchNorm does in training."""

    TRAINED = "trained"
    """It normalises by the batch and moves its statistics."""

    FROZEN = "frozen"
    """It normalises by the statistics it started with, as in evaluation."""


class DownstreamConfig(Config):
    """What every training on labelled images is told."""

    seed: Seed = 0
    backbone: BackboneConfig
    datasets: tuple[DatasetConfig, ...] = Field(min_length=1)
    image: ImageConfig = ImageConfig()
    dropout: Fraction = Field(0.0, description="Share of features dropped before the heads")
    loss_weights: dict[LabelKind, PositiveFloat] = Field(
        default_factory=dict, description="Weight of each kind's loss; 1 where none is given"
    )
    batch_norm: BatchNorm = BatchNorm.TRAINED
    batch_size: PositiveInt = Field(32, description="Images a step, over all processes")
    accumulate: PositiveInt = Field(
        1, description="Parts a process cuts its batch into, one at a time in memory"
    )
    epochs: PositiveInt = Field(30, description="Rounds over the training parts")
    optimizer: Optimizer = SgdConfig()
    schedule: Schedule = StepSchedule()
    max_unreadable: Fraction = Field(
        0.01, description="Share of the images that may prove unreadable before the run stops"
    )
    checkpoint_every_s: PositiveFloat = Field(300.0, description="Seconds between checkpoints")
    compute: ComputeConfig = ComputeConfig()


class FinetuneConfig(DownstreamConfig):
    """Train a backbone with a label head for each kind of label the data sets offer."""

    recipe: Literal["finetune"] = "finetune"
    freeze_backbone: bool = Field(
        False,
        description="Train the heads alone, on features as they are: faster, and with some "
        "hundred images often better",
    )

    @model_validator(mode="after")
    def _frozen_features_are_trained_ones(self) -> Self:
        if self.freeze_backbone and isinstance(self.backbone.weights, RandomWeights):
            raise ValueError(
                "freeze_backbone keeps the features of random weights; give backbone.weights"
            )
        return self


class TeacherConfig(Config):
    """One teacher: where it starts, and what ties it to the student."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")] = Field(
        description="What its losses are called by"
    )
    weights: Weights
    match: Annotated[int, Field(ge=1, le=4)] | None = Field(
        None, description="Stage whose feature maps are drawn together; none: no stage's"
    )
    match_logits: bool = Field(False, description="Draw the logits of every head together too")
    weight: NonNegativeFloat = Field(1.0, description="Weight of the matching terms")
    trainable: bool = Field(True, description="Trained along, as in the paper; else frozen")
    detach: bool = Field(False, description="Matching moves the student alone")
    relative: bool = Field(
        False,
        description="Measure the maps' distance against the mean square of the teacher's map, so "
        "that a weight means the same for maps of any scale (MobileNetV2's are not rectified)",
    )

    @model_validator(mode="after")
    def _has_ties(self) -> Self:
        if self.match is None and not self.match_logits:
            raise ValueError(f"teacher {self.name} is tied to nothing: set match or match_logits")
        return self


class AmalgamateConfig(DownstreamConfig):
    """Draw one student to several teachers while all learn the labels; the student is kept.

    `backbone` is the student's, and says where it starts; the teachers have the same one.
    """

    recipe: Literal["amalgamate"] = "amalgamate"
    teachers: tuple[TeacherConfig, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _teachers_are_distinct(self) -> Self:
        names = [teacher.name for teacher in self.teachers]
        if len(set(names)) != len(names) or "student" in names:
            raise ValueError(f"teachers need names of their own, and none is 'student': {names}")
        return self
