"""The whole chain as one configuration: its steps are jobs of their own."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.labels import LabelKind
from models.registry import PRODUCTION
from training.config.backbone import RunWeights, Weights
from training.config.downstream import AmalgamateConfig
from training.config.fields import Alias, Config
from training.config.pretraining import PretrainConfig, Step
from training.config.publishing import EvaluateConfig, ExportConfig


class PipelineStep(StrEnum):
    """The jobs of a pipeline, in the order in which they may start.

    A configuration refers to the run of an earlier step by the step's name.
    """

    STIMULI = "stimuli"
    ORGANIZING = "organizing"
    PERCEIVING = "perceiving"
    AMALGAMATE = "amalgamate"
    EVALUATE = "evaluate"
    EXPORT = "export"


class BetterOn(Config):
    """A figure that must rise: compared only where both were measured by the same protocol."""

    output: LabelKind = Field(description="Output whose figure counts")
    metric: str = Field(description="Name of the metric in the manifest, such as top1")
    higher_is_better: bool = Field(True, description="False for errors and divergences")
    by: Annotated[float, Field(ge=0)] = Field(0.0, description="By how much, at the least")


class Promotion(Config):
    """Where an alias moves to once the version is published."""

    alias: Alias = Field(PRODUCTION, description="Alias that is moved to the new version")
    only_if_better: BetterOn | None = Field(
        None, description="Only if better than the version the alias points to; none: always"
    )


class PipelineConfig(Config):
    """Three pre-trainings, amalgamation, evaluation, export and, if wanted, promotion."""

    recipe: Literal["pipeline"] = "pipeline"
    stimuli: PretrainConfig
    organizing: PretrainConfig
    perceiving: PretrainConfig
    amalgamate: AmalgamateConfig
    evaluate: EvaluateConfig
    export: ExportConfig
    promotion: Promotion | None = Promotion()

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        for step in Step:
            given = getattr(self, step.value).step
            if given is not step:
                raise ValueError(f"{step} is configured as a pre-training of {given}")
        if self.export.alias is not None:
            raise ValueError("export.alias: the pipeline promotes, set `promotion` and alias: null")
        known = {Path(step) for step in Step}
        for weights in _weights(self.amalgamate):
            if isinstance(weights, RunWeights) and weights.run not in known:
                raise ValueError(f"amalgamate: run {weights.run} is none of {', '.join(Step)}")
        for name, run in (("evaluate", self.evaluate.run), ("export", self.export.run)):
            if run != Path(PipelineStep.AMALGAMATE):
                raise ValueError(f"{name}.run must be {PipelineStep.AMALGAMATE!s}, given {run}")
        return self


def _weights(config: AmalgamateConfig) -> Iterator[Weights]:
    yield config.backbone.weights
    yield from (teacher.weights for teacher in config.teachers)
