"""Canonical data sets made from others: some of their images, or other labels for them."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.labels import LabelKind, LabelSet
from training.data.canonical import CARD, CanonicalDataset, Sample, Split, read_card
from training.data.importers.draw import drawn
from training.data.importers.listing import ImportOptions, Record
from training.data.importing import import_dataset
from training.data.metadata import METADATA, metadata_csv

_WRITTEN_TO = 1e-5
"""Shares are written with some digits: one that far below a threshold is meant to reach it."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A data set to be made: its label sets, and its records with the images they are of."""

    name: str
    label_sets: Mapping[LabelKind, LabelSet]
    records: Sequence[tuple[Path, Record]]
    terms: str | None

    def make(self, root: Path, title: str) -> None:
        """Make it below `root`, whole or not at all."""
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for image, record in self.records:
                copy = folder / record.file_name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(image, copy)
            records = [record for _, record in self.records]
            (folder / METADATA).write_bytes(metadata_csv(records, self.label_sets))
            sets = {
                kind: labels.model_dump(mode="json") for kind, labels in self.label_sets.items()
            }
            (folder / CARD).write_text(json.dumps({"label_sets": sets}), encoding="utf-8")
            options = ImportOptions(terms=self.terms, val_fraction=0)
            imported("canonical", folder, root / self.name, title=title, options=options)


def imported(
    format: str, source: Path, destination: Path, *, title: str, options: ImportOptions
) -> None:
    """Import a public layout without telling of progress."""
    import_dataset(
        format=format,
        sources=[source],
        destination=destination,
        name=title,
        options=options,
        progress=lambda step, done, total: None,
    )


def native_multi(dataset: CanonicalDataset, name: str, *, at_least: float, images: int) -> Derived:
    """Labels that hold from a share of viewers on, of those that hold for enough images.

    Shares are taken as they were given, not normalised: viewers chose as many as they liked. An
    image of which no label holds stays, without labels.
    """
    shares = dataset.label_sets[LabelKind.DISTRIBUTION]
    holding = [_holding(sample, shares, at_least) for sample in dataset.samples]
    counts = {label: sum(label in held for held in holding) for label in shares.names}
    kept = tuple(label for label in shares.names if counts[label] >= images)
    polarity = shares.polarity and tuple(shares.polarity[shares.index(label)] for label in kept)
    return Derived(
        name,
        {LabelKind.MULTI: LabelSet(names=kept, polarity=polarity)},
        [
            (
                dataset.root / sample.file_name,
                Record(
                    sample.file_name,
                    sample.split,
                    labels=tuple(label for label in kept if label in held),
                ),
            )
            for sample, held in zip(dataset.samples, holding, strict=True)
        ],
        read_card(dataset.root).terms,
    )


def part_of(dataset: CanonicalDataset, name: str, *, files: frozenset[str]) -> Derived:
    """The data set with those of its training images that are in `files`."""
    return Derived(
        name,
        dataset.label_sets,
        [
            (dataset.root / sample.file_name, _record(dataset, sample))
            for sample in dataset.samples
            if sample.split is not Split.TRAIN or sample.file_name in files
        ],
        read_card(dataset.root).terms,
    )


def drawn_files(dataset: CanonicalDataset, *, fraction: float, seed: int) -> frozenset[str]:
    """A fraction of the training images, drawn within each class where there are classes."""
    samples = dataset.subset(Split.TRAIN)
    strata = {sample.file_name: str(sample.single) for sample in samples}
    return drawn(strata, fraction=fraction, seed=seed)


def _holding(sample: Sample, shares: LabelSet, at_least: float) -> frozenset[str]:
    pairs = zip(shares.names, sample.shares or (), strict=sample.shares is not None)
    return frozenset(name for name, share in pairs if share >= at_least - _WRITTEN_TO)


def _record(dataset: CanonicalDataset, sample: Sample) -> Record:
    single = dataset.label_sets.get(LabelKind.SINGLE)
    multi = dataset.label_sets.get(LabelKind.MULTI)
    return Record(
        sample.file_name,
        sample.split,
        label=single.names[sample.single] if single and sample.single is not None else None,
        labels=(
            tuple(multi.names[place] for place in sample.multi)
            if multi and sample.multi is not None
            else None
        ),
        shares=sample.shares,
        captions=sample.captions,
    )
