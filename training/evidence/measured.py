"""A model's figures measured another way than its card's: by a service, or on stretched images."""

from typing import Literal

from pydantic import Field

from models.labels import LabelKind
from training.config.fields import Config
from training.evidence.results import Kept


class Figure(Config):
    """One metric as it was measured, and as the card has it for one graph."""

    output: LabelKind
    metric: str
    measured: float
    precision: str
    card: float

    @property
    def difference(self) -> float:
        """Measured less the card's."""
        return self.measured - self.card


class Measured(Kept):
    """Figures of one data set's test images."""

    schema_version: Literal[1] = 1
    model: str
    dataset: str
    images: int
    through_service: bool = Field(description="Else the model answered without one")
    stretched: int | None = Field(description="Seed of the shapes images were stretched to, if any")
    code_version: str
    figures: tuple[Figure, ...]

    @property
    def told(self) -> str:
        """How it was measured."""
        by = "By a running service" if self.through_service else "By the model alone"
        shapes = "" if self.stretched is None else ", images stretched to random shapes and sizes"
        return f"{by}{shapes}"
