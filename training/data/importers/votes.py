"""Votes of viewers as labels: their shares, and the majority where there is no tie."""

from collections.abc import Iterator, Mapping

from models.labels import LabelKind, LabelSet
from training.data.canonical import Split
from training.data.importers.draw import draw_remarks, with_test_and_val, with_val
from training.data.importers.listing import ImportOptions, Listing, Record
from training.data.importers.lookup import unused_files
from training.data.rows import Row
from training.data.source import Source


def voted_record(row: Row, file_name: str, votes: Mapping[str, int], labels: LabelSet) -> Record:
    """The record of an image that `votes`, a number for each label, were cast on."""
    total = sum(votes.values())
    if total == 0:
        raise row.bad(given="no vote", expected="at least one")
    return Record(
        file_name,
        Split.TRAIN,
        label=majority(votes),
        shares=tuple(votes[name] / total for name in labels.names),
    )


def majority(votes: Mapping[str, int]) -> str | None:
    """The label with the most votes; none in a tie."""
    most = max(votes.values())
    first, *others = [name for name, count in votes.items() if count == most]
    return None if others else first


def voted_listing(
    source: Source,
    records: tuple[Record, ...],
    labels: LabelSet,
    options: ImportOptions,
    *,
    used: tuple[str, ...],
) -> Listing:
    """The listing of voted records, with the splits drawn that they do not have."""
    has_splits = any(record.split is not Split.TRAIN for record in records)
    placed = (with_val if has_splits else with_test_and_val)(records, options)
    return Listing(
        label_sets={LabelKind.SINGLE: labels, LabelKind.DISTRIBUTION: labels},
        records=placed,
        ignored=unused_files(source, records, *used),
        remarks=(*draw_remarks(records, placed), *_ties(records)),
    )


def _ties(records: tuple[Record, ...]) -> Iterator[str]:
    ties = sum(record.label is None for record in records)
    if ties:
        yield f"{ties} of {len(records)} images have no majority, and so no single label"
