"""Imports a public layout as a canonical dataset: read, check, copy, and say what was found."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.labels import LabelKind, LabelSet
from training.data.canonical import CARD, CanonicalDataset, DatasetCard, Split
from training.data.columns import RESERVED
from training.data.copying import Copies, Progress, copy_images, image_path
from training.data.duplicates import Duplicates, find_duplicates
from training.data.importers.listing import BadLayout, ImportOptions, Listing, Record
from training.data.importers.table import IMPORTERS
from training.data.metadata import METADATA, dataset_digest, metadata_csv
from training.data.source import Source, open_source
from training.data.staging import check_absent, staging
from training.errors import TrainingError

NAMED = 10
"""How many files an error or a line of the report names before it only counts."""


class UnknownFormat(TrainingError):
    """No importer has this name."""


class MissingImages(TrainingError):
    """Images that the labels name are not there."""


class UnreadableImages(TrainingError):
    """Images cannot be decoded."""


def _named(names: Sequence[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{rest}"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import made and what it found on the way."""

    name: str
    digest: str
    counts: Mapping[Split, int]
    class_counts: Mapping[Split, Mapping[str, int]]
    duplicates: tuple[Duplicates, ...]
    unreadable: tuple[str, ...]
    ignored: tuple[str, ...]
    remarks: tuple[str, ...]

    def lines(self) -> list[str]:
        """The report for a reader, who is spared long lists."""
        splits = ", ".join(f"{split} {count}" for split, count in self.counts.items())
        return [
            f"{self.name}: {sum(self.counts.values())} images ({splits})",
            *(
                f"  {split}: {', '.join(f'{name} {n}' for name, n in classes.items())}"
                for split, classes in self.class_counts.items()
            ),
            *self.findings(at_most=NAMED),
            f"digest {self.digest}",
        ]

    def findings(self, *, at_most: int) -> list[str]:
        """What a reader should know of the data, a sentence each; long lists are cut."""
        unreadable = [f"unreadable, left out: {file}" for file in self.unreadable]
        duplicates = [group.line() for group in self.duplicates]
        lines = [*self.remarks, *_cut(unreadable, at_most), *_cut(duplicates, at_most)]
        if self.ignored:
            lines.append(f"{len(self.ignored)} files ignored: {_named(self.ignored)}")
        return lines


def _cut(lines: Sequence[str], at_most: int) -> list[str]:
    rest = len(lines) - at_most
    return [*lines[:at_most], *([f"... and {rest} more, all in {CARD}"] if rest > 0 else [])]


def import_dataset(
    *,
    format: str,
    sources: Sequence[Path],
    destination: Path,
    name: str,
    options: ImportOptions,
    progress: Progress,
    note: Callable[[ImportReport], None] = lambda report: None,
) -> ImportReport:
    """Makes `destination` the canonical dataset `name`, whole or not at all.

    `note` is called with the report before the dataset appears.
    """
    check_absent(destination)
    source, listing = _listed(format, sources, options)
    with staging(destination) as folder:
        copies = copy_images(source, listing.records, folder, progress)
        _check_readable(copies.unreadable, options)
        records, duplicates = _kept(listing.records, copies, folder)
        metadata = metadata_csv(map(_as_copied, records), listing.label_sets)
        digests = [copies.digests[record.file_name] for record in records]
        report = ImportReport(
            name=name,
            digest=dataset_digest(digests, metadata, listing.label_sets),
            counts={split: sum(r.split is split for r in records) for split in Split},
            class_counts=_class_counts(records, listing.label_sets),
            duplicates=duplicates,
            unreadable=_described(copies.unreadable),
            ignored=listing.ignored,
            remarks=listing.remarks,
        )
        card = _card(report, format=format, listing=listing, options=options)
        (folder / METADATA).write_bytes(metadata)
        (folder / CARD).write_bytes(card.model_dump_json(indent=2).encode() + b"\n")
        CanonicalDataset.open(folder)
        note(report)
    return report


def _listed(format: str, sources: Sequence[Path], options: ImportOptions) -> tuple[Source, Listing]:
    if format not in IMPORTERS:
        raise UnknownFormat(f"given format {format!r}; expected one of {', '.join(IMPORTERS)}")
    source = open_source(sources)
    listing = IMPORTERS[format](source, options)
    _check_listing(source, listing)
    return source, listing


def _check_listing(source: Source, listing: Listing) -> None:
    """Nothing is copied before this holds: the images are there, once, and can be written down."""
    files = [record.file_name for record in listing.records]
    if not files:
        raise BadLayout(f"{source.description} lists no image; expected at least one")
    counts = Counter(map(image_path, files))
    repeated = [file for file in files if counts[image_path(file)] > 1]
    if repeated:
        raise BadLayout(f"listed more than once: {_named(repeated)}; expected each file once")
    present = frozenset(source.names())
    missing = [file for file in files if file not in present]
    if missing:
        raise MissingImages(
            f"{len(missing)} of {len(files)} images are not in {source.description}: "
            f"{_named(missing)}; expected every image that the labels name"
        )
    shares = listing.label_sets.get(LabelKind.DISTRIBUTION)
    reserved = [name for name in RESERVED if shares and name in shares.names]
    if reserved:
        raise BadLayout(f"labels named {', '.join(reserved)}; the metadata needs these as columns")


def _check_readable(unreadable: Mapping[str, str], options: ImportOptions) -> None:
    if not unreadable or options.skip_unreadable:
        return
    raise UnreadableImages(
        f"{len(unreadable)} images cannot be decoded: {_named(_described(unreadable))}; "
        "mend them, or set skip_unreadable to leave them out"
    )


def _described(unreadable: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{file} ({reason})" for file, reason in unreadable.items())


def _kept(
    records: Iterable[Record], copies: Copies, folder: Path
) -> tuple[list[Record], tuple[Duplicates, ...]]:
    """The records that were copied, less the duplicates that are left out and now deleted."""
    readable = [record for record in records if record.file_name in copies.digests]
    duplicates = find_duplicates(readable, copies.digests)
    left_out = {file for group in duplicates for file in group.left_out}
    for file in left_out:
        (folder / image_path(file)).unlink()
    return [record for record in readable if record.file_name not in left_out], duplicates


def _as_copied(record: Record) -> Record:
    return replace(record, file_name=image_path(record.file_name))


def _class_counts(
    records: Iterable[Record], label_sets: Mapping[LabelKind, LabelSet]
) -> dict[Split, dict[str, int]]:
    names = label_sets.get(LabelKind.SINGLE) or label_sets.get(LabelKind.MULTI)
    if names is None:
        return {}
    counts = Counter(
        (r.split, label) for r in records for label in ((r.label,) if r.label else r.labels or ())
    )
    return {
        split: {name: counts[split, name] for name in names.names}
        for split in Split
        if any(counts[split, name] for name in names.names)
    }


def _card(
    report: ImportReport, *, format: str, listing: Listing, options: ImportOptions
) -> DatasetCard:
    return DatasetCard(
        name=report.name,
        format=format,
        digest=report.digest,
        label_sets=dict(listing.label_sets),
        counts=dict(report.counts),
        terms=options.terms,
        options=options.model_dump(mode="json", exclude={"terms"}),
        findings=report.findings(at_most=sys.maxsize),
    )
