"""How weights move, where and in which arithmetic."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from training.config.fields import Config, Fraction, NonNegativeFloat, PositiveFloat


class SgdConfig(Config):
    """Stochastic gradient descent with momentum; the paper's choice."""

    name: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 1e-3
    head_learning_rate: PositiveFloat | None = Field(None, description="None: the same")
    momentum: Fraction = 0.9
    weight_decay: NonNegativeFloat = 1e-4


class AdamWConfig(Config):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019)."""

    name: Literal["adamw"] = "adamw"
    learning_rate: PositiveFloat = 2e-4
    head_learning_rate: PositiveFloat | None = Field(None, description="None: the same")
    weight_decay: NonNegativeFloat = 1e-2


Optimizer = Annotated[SgdConfig | AdamWConfig, Field(discriminator="name")]


class StepSchedule(Config):
    """The learning rate is multiplied by `factor` every `every_epochs` epochs."""

    name: Literal["step"] = "step"
    warmup_epochs: NonNegativeFloat = 0.0
    every_epochs: PositiveInt = 10
    factor: Fraction = 0.1


class CosineSchedule(Config):
    """The learning rate falls along half a cosine to `final_fraction` of its start."""

    name: Literal["cosine"] = "cosine"
    warmup_epochs: NonNegativeFloat = 0.0
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
    compile: bool = Field(
        False, description="Compile the step (torch.compile): a slow start, faster steps"
    )
