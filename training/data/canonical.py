"""The canonical dataset: images, `metadata.csv` and `dataset.json`; what every importer makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from models.labels import LabelKind, LabelSet
from training.config.dataset_card import CARD as CARD
from training.config.dataset_card import DatasetCard as DatasetCard
from training.config.dataset_card import Split as Split
from training.data.columns import (
    ROWS,
    SPLIT,
    BadDataset,
    metadata_columns,
    metadata_file,
    row_captions,
    row_file,
    row_label,
    row_labels,
    row_shares,
)
from training.data.rows import Row, check_columns, check_distinct
from training.data.source import FolderSource, UnreadableSource


@dataclass(frozen=True, slots=True)
class Sample:
    """One image and what is known of it; labels are positions in the dataset's label sets."""

    file_name: str
    split: Split
    single: int | None
    multi: tuple[int, ...] | None
    shares: tuple[float, ...] | None
    captions: tuple[str, ...]


@dataclass(frozen=True)
class CanonicalDataset:
    """A dataset that was read and found valid."""

    name: str
    digest: str
    label_sets: Mapping[LabelKind, LabelSet]
    samples: tuple[Sample, ...]
    root: Path

    @classmethod
    def open(cls, root: Path) -> Self:
        """The dataset below `root`; every row is checked and every image has to be there."""
        card = read_card(root)
        source = FolderSource(root)
        names = frozenset(source.names())
        name = metadata_file(names, str(root))
        file = str(root / name)
        rows = ROWS[name](source.read(name), file)
        check_columns(rows, metadata_columns(card.label_sets), file=file)
        check_distinct(rows, row_file)
        _check_present(rows, names)
        samples = tuple(_sample(row, card.label_sets) for row in rows)
        return cls(card.name, card.digest, card.label_sets, samples, root)

    def subset(self, split: Split) -> tuple[Sample, ...]:
        """The samples of one split, in the order of the metadata."""
        return tuple(sample for sample in self.samples if sample.split is split)

    def read_image(self, sample: Sample) -> bytes:
        """The encoded image of `sample`."""
        return (self.root / sample.file_name).read_bytes()


def read_card(root: Path) -> DatasetCard:
    """What `dataset.json` below `root` says."""
    try:
        return DatasetCard.model_validate_json((root / CARD).read_bytes())
    except FileNotFoundError:
        raise BadDataset(
            f"{root} has no {CARD}; expected a dataset that was imported: import it first"
        ) from None
    except OSError as error:
        raise UnreadableSource(f"cannot read {root / CARD}: {error.strerror}") from error
    except ValidationError as error:
        raise BadDataset(f"{root / CARD} is not a dataset's card: {error}") from error


def _sample(row: Row, label_sets: Mapping[LabelKind, LabelSet]) -> Sample:
    single, multi = label_sets.get(LabelKind.SINGLE), label_sets.get(LabelKind.MULTI)
    label, labels = row_label(row, single), row_labels(row, multi)
    return Sample(
        file_name=row_file(row),
        split=row_split(row),
        single=None if single is None or label is None else single.index(label),
        multi=None if multi is None or labels is None else tuple(sorted(multi.indices(labels))),
        shares=row_shares(row, label_sets.get(LabelKind.DISTRIBUTION)),
        captions=row_captions(row),
    )


def row_split(row: Row) -> Split:
    """The split a row names."""
    name = row.text(SPLIT)
    if name not in list(Split):
        raise row.bad(given=f"split {name!r}", expected=f"one of {', '.join(Split)}")
    return Split(name)


def _check_present(rows: tuple[Row, ...], names: frozenset[str]) -> None:
    for row in rows:
        if row_file(row) not in names:
            raise row.bad(given=f"file {row_file(row)!r}", expected="a file that is there")
