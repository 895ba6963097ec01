"""How weights move, where and in which arithmetic."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from training.config.fields import Config, Fraction, NonNegativeFloat, PositiveFloat


class SgdConfig(Config):
    """Stochastic gradient descent with momentum; the paper's choice."""

    name: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = Field(1e-3, description="Of the backbone, at its height")
    head_learning_rate: PositiveFloat | None = Field(
        None, description="Of the heads; none: the same"
    )
    momentum: Fraction = Field(0.9, description="Share of the last move that is kept")
    weight_decay: NonNegativeFloat = Field(1e-4, description="Pull of weights towards 0")


class AdamWConfig(Config):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019)."""

    name: Literal["adamw"] = "adamw"
    learning_rate: PositiveFloat = Field(2e-4, description="Of the backbone, at its height")
    head_learning_rate: PositiveFloat | None = Field(
        None, description="Of the heads; none: the same"
    )
    weight_decay: NonNegativeFloat = Field(1e-2, description="Pull of weights towards 0")


Optimizer = Annotated[SgdConfig | AdamWConfig, Field(discriminator="name")]


class StepSchedule(Config):
    """The learning rate is multiplied by `factor` every `every_epochs` epochs."""

    name: Literal["step"] = "step"
    warmup_epochs: NonNegativeFloat = Field(
        0.0, description="Epochs in which the rate rises from 0"
    )
    every_epochs: PositiveInt = Field(10, description="Epochs between two falls")
    factor: Fraction = Field(0.1, description="What a fall multiplies the rate by")


class CosineSchedule(Config):
    """The learning rate falls along half a cosine to `final_fraction` of its start."""

    name: Literal["cosine"] = "cosine"
    warmup_epochs: NonNegativeFloat = Field(
        0.0, description="Epochs in which the rate rises from 0"
    )
    final_fraction: Fraction = Field(0.01, description="Of the rate, at the very end")


Schedule = Annotated[StepSchedule | CosineSchedule, Field(discriminator="name")]


class Precision(StrEnum):
    """Arithmetic of the forward pass; weights and losses are always float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class ComputeConfig(Config):
    """Where and how a run computes; results on the CPU repeat bit for bit for the same settings."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto: a CUDA device where there is one"
    )
    precision: Precision = Field(
        Precision.AUTO,
        description="auto: bfloat16 on devices with instructions for it (on a CPU AVX512-BF16 or "
        "AMX), else float32",
    )
    loader_workers: Annotated[int, Field(ge=0, le=64)] = Field(
        2, description="Processes that read images ahead; 0: the training process does"
    )
    image_cache_gib: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        4.0,
        description="GiB of disk in the run's folder, for each corpus, that keep training images "
        "decoded and resized after their first reading, as long as the run goes; 0: none",
    )
    compile: bool = Field(
        False, description="Compile the step (torch.compile): a slow start, faster steps"
    )
