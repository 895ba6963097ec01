"""Exact duplicates: images of the same bytes, which no split may share with another."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from training.data.canonical import Split
from training.data.importers.listing import Record

_HELD_OUT = (Split.TEST, Split.VAL, Split.TRAIN)
"""The split that keeps its copies is the first of these that has any."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Files of the same bytes, those of them left out, and whether their labels disagree."""

    files: tuple[str, ...]
    left_out: tuple[str, ...]
    conflicting: bool

    def line(self) -> str:
        """One sentence for a reader."""
        labels = "different labels" if self.conflicting else "the same labels"
        fate = f"left out: {', '.join(self.left_out)}" if self.left_out else "all kept"
        return f"the same image with {labels}: {', '.join(self.files)}; {fate}"


def find_duplicates(
    records: Iterable[Record], digests: Mapping[str, str]
) -> tuple[Duplicates, ...]:
    """The duplicates that matter: across splits, or with labels that disagree."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(digests[record.file_name], []).append(record)
    return tuple(_remarkable(group for group in groups.values() if len(group) > 1))


def _remarkable(groups: Iterable[list[Record]]) -> Iterator[Duplicates]:
    for group in groups:
        keeper = next(s for s in _HELD_OUT if any(r.split is s for r in group))
        left_out = tuple(r.file_name for r in group if r.split is not keeper)
        conflicting = len({(r.label, r.labels, r.shares) for r in group}) > 1
        if left_out or conflicting:
            yield Duplicates(tuple(r.file_name for r in group), left_out, conflicting)
