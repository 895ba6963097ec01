"""What becomes of a trained run: its figures, and a bundle."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from training.config.datasets import DatasetConfig
from training.config.fields import Alias, Config, Name
from training.config.optimization import ComputeConfig


class EvaluateConfig(Config):
    """Score a trained run's best weights, or a bundle, on one split of its data sets."""

    recipe: Literal["evaluate"] = "evaluate"
    run: Path | None = Field(None, description="Run folder of a fine-tuning or amalgamation")
    bundle: Path | None = Field(None, description="Bundle folder")
    datasets: tuple[DatasetConfig, ...] = Field(min_length=1)
    split: Literal["train", "val", "test"] = Field("test", description="Part that is scored")
    batch_size: PositiveInt = Field(32, description="Images at a time; the figures do not change")
    compute: ComputeConfig = ComputeConfig()

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.run is None) == (self.bundle is None):
            raise ValueError("give either run or bundle: what is to be evaluated")
        return self


class ExportConfig(Config):
    """Turn a fine-tuned run into a bundle, through the gates, and publish it as a new version."""

    recipe: Literal["export"] = "export"
    run: Path = Field(description="Run folder of a fine-tuning or amalgamation")
    name: Name = Field("default", description="Model name in the registry")
    registry: Path = Field(Path("var/models"), description="Root of the writable registry")
    alias: Alias | None = Field("production", description="Alias moved to the new version")
    notes: Path | None = Field(None, description="Markdown that opens the model card")
    int8: bool = Field(True, description="Also make a static INT8 graph, where it passes the gate")
    calibration_images: PositiveInt = Field(
        256, description="Training images that the INT8 graph's ranges are fitted on"
    )
    parity_images: Annotated[int, Field(ge=64)] = Field(
        128, description="Validation images on which the gates compare graphs"
    )
    compute: ComputeConfig = ComputeConfig()
