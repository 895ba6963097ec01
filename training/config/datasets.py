"""Which labelled images, and which of their labels."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from models.labels import LabelKind
from training.config.fields import Config, Fraction, Name


class DatasetConfig(Config):
    """One canonical data set and the kinds of label that are taken from it."""

    name: Name = Field(description="Name of the canonical data set")
    kinds: tuple[LabelKind, ...] = Field(
        min_length=1, description="Kinds of label that are taken from it; each gets a head"
    )
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
