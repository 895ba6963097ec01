"""What an importer reads out of a public layout: the label sets and a record for each image."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.labels import EMOTION6, MIKELS, LabelKind, LabelSet, Polarity
from training.data.canonical import Split
from training.data.source import Source
from training.errors import TrainingError

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)

KEYWORDS = tuple(name for name in EMOTION6.names if name != "neutral")
"""The six emotions Emotion6 was searched by; nobody searched for neutral."""

_VALENCE = LabelSet(names=tuple(Polarity), polarity=tuple(Polarity))
_KNOWN_POLARITIES = (
    (frozenset(MIKELS.names), MIKELS),
    (frozenset(EMOTION6.names), EMOTION6),
    (frozenset(KEYWORDS), EMOTION6),
    (frozenset({Polarity.NEGATIVE, Polarity.POSITIVE}), _VALENCE),
    (frozenset(Polarity), _VALENCE),
)


class BadLayout(TrainingError):
    """The files do not lie as the format says."""


class BadOption(TrainingError):
    """An import option does not fit the format or the files."""


class ImportOptions(BaseModel):
    """What an importer has to be told where the files do not say it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: tuple[str, ...] | None = Field(
        None, description="Class order; none: the names sorted, or as the format fixes it"
    )
    test_fold: int | None = Field(
        0,
        ge=0,
        description="Fold that is the test split, where a layout has folds; none: a drawn split",
    )
    val_fraction: float = Field(
        0.1, ge=0, lt=1, description="Share of train drawn as val where a layout has no val split"
    )
    min_images: int = Field(
        15, ge=1, description="Images that a pair of words needs to be a class (anp_mined)"
    )
    seed: int = Field(0, ge=0, description="Seed of every draw")
    skip_unreadable: bool = Field(False, description="Leave out images that cannot be decoded")
    terms: str | None = Field(None, description="Licence or terms of use, kept with the dataset")

    @field_validator("labels")
    @classmethod
    def _labels_make_a_set(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return labels if labels is None else LabelSet(names=labels).names


@dataclass(frozen=True, slots=True)
class Record:
    """One image as the source names it, with its labels by name."""

    file_name: str
    split: Split
    label: str | None = None
    labels: tuple[str, ...] | None = None
    shares: tuple[float, ...] | None = None
    captions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """What is to be imported, the files that are not, and remarks for the reader."""

    label_sets: Mapping[LabelKind, LabelSet]
    records: tuple[Record, ...]
    ignored: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def refuse_labels(options: ImportOptions, order: tuple[str, ...]) -> None:
    """The labels of the options may only repeat the order that a format fixes."""
    if options.labels not in (None, order):
        raise BadOption(
            f"given labels {', '.join(options.labels)} for a format whose order is fixed: "
            f"{', '.join(order)}; leave labels out"
        )


class Importer(Protocol):
    """Reads the listing of one public layout."""

    def __call__(self, source: Source, options: ImportOptions) -> Listing: ...


def is_image(name: str) -> bool:
    """Whether a file is an image by its suffix."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def label_set(names: tuple[str, ...]) -> LabelSet:
    """A label set in the given order, with the polarities of a well-known set of emotions."""
    for known, polarised in _KNOWN_POLARITIES:
        if known == frozenset(names) and polarised.polarity is not None:
            polarity = dict(zip(polarised.names, polarised.polarity, strict=True))
            return LabelSet(names=names, polarity=tuple(polarity[name] for name in names))
    return LabelSet(names=names)
