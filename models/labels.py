"""What a model can say of an image: kinds of label, and ordered sets of label names."""

from collections.abc import Iterable, Set
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator


class LabelKind(StrEnum):
    """How the labels of one output relate to each other."""

    SINGLE = "single"
    """Exactly one label holds; scores sum to 1."""

    MULTI = "multi"
    """Any number of labels hold, each with a score and a threshold of its own."""

    DISTRIBUTION = "distribution"
    """Each label holds for a share of the viewers; shares sum to 1."""


class Polarity(StrEnum):
    """Whether an emotion is pleasant to have."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"


class UnknownLabel(ValueError):
    """A label name that is not in the label set."""


class LabelSet(BaseModel):
    """Label names in the order of a model's scores, with their polarity where it is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    polarity: tuple[Polarity, ...] | None = None

    @field_validator("names", mode="before")
    @classmethod
    def _names_have_an_order(cls, names: object) -> object:
        if isinstance(names, Set):
            raise ValueError("the order of label names is part of a model: a set has none")
        return names

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        if not self.names or any(not name.strip() for name in self.names):
            raise ValueError("a label set needs at least one name, and no name may be blank")
        if len(set(self.names)) != len(self.names):
            repeated = sorted({name for name in self.names if self.names.count(name) > 1})
            raise ValueError(f"label names must be distinct; repeated: {', '.join(repeated)}")
        if self.polarity is not None and len(self.polarity) != len(self.names):
            raise ValueError(f"{len(self.polarity)} polarities for {len(self.names)} label names")
        return self

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Position of `name`; raises UnknownLabel with the known names."""
        try:
            return self.names.index(name)
        except ValueError:
            raise UnknownLabel(
                f"unknown label {name!r}; known labels: {', '.join(self.names)}"
            ) from None

    def indices(self, names: Iterable[str]) -> tuple[int, ...]:
        """Positions of `names`, in their order."""
        return tuple(self.index(name) for name in names)


def _label_set(**polarities: Polarity) -> LabelSet:
    return LabelSet(names=tuple(polarities), polarity=tuple(polarities.values()))


MIKELS = _label_set(
    amusement=Polarity.POSITIVE,
    anger=Polarity.NEGATIVE,
    awe=Polarity.POSITIVE,
    contentment=Polarity.POSITIVE,
    disgust=Polarity.NEGATIVE,
    excitement=Polarity.POSITIVE,
    fear=Polarity.NEGATIVE,
    sadness=Polarity.NEGATIVE,
)
"""The eight emotions of Mikels et al. (2005) in alphabetical order, as FI and EmoSet use them."""

EMOTION6 = _label_set(
    anger=Polarity.NEGATIVE,
    disgust=Polarity.NEGATIVE,
    fear=Polarity.NEGATIVE,
    joy=Polarity.POSITIVE,
    sadness=Polarity.NEGATIVE,
    surprise=Polarity.NEUTRAL,
    neutral=Polarity.NEUTRAL,
)
"""Ekman's six and neutral, in the column order of Emotion6 (Peng et al., CVPR 2015)."""
