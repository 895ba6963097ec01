"""Splits where a data set has none: drawn within each class, by file name and seed alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from training.data.canonical import Split
from training.data.importers.listing import ImportOptions, Record

TEST_FRACTION = 0.1
"""Share drawn as test where a data set has no splits at all."""


def drawn(strata: Mapping[str, str], *, fraction: float, seed: int) -> frozenset[str]:
    """A `fraction` of the files of each stratum (file -> stratum), and never a whole stratum.

    The files come in the order of a hash of seed and name: neither the order in which they were
    listed nor the library that shuffles can change the draw.
    """
    members: dict[str, list[str]] = {}
    for name, stratum in strata.items():
        members.setdefault(stratum, []).append(name)
    return frozenset(
        name
        for names in members.values()
        for name in sorted(names, key=lambda name: _ticket(name, seed))[: _size(names, fraction)]
    )


def _ticket(name: str, seed: int) -> bytes:
    return sha256(f"{seed}:{name}".encode()).digest()


def _size(names: Sequence[str], fraction: float) -> int:
    if fraction == 0:
        return 0
    return min(len(names) - 1, max(1, round(len(names) * fraction)))


def move_drawn(
    records: Iterable[Record], *, to: Split, fraction: float, seed: int
) -> tuple[Record, ...]:
    """The records, with a `fraction` of train moved to another split."""
    records = tuple(records)
    strata = {r.file_name: r.label or "" for r in records if r.split is Split.TRAIN}
    chosen = drawn(strata, fraction=fraction, seed=seed)
    return tuple(replace(r, split=to) if r.file_name in chosen else r for r in records)


def with_val(records: tuple[Record, ...], options: ImportOptions) -> tuple[Record, ...]:
    """The records, with val drawn from train where there is none."""
    if any(record.split is Split.VAL for record in records):
        return records
    return move_drawn(records, to=Split.VAL, fraction=options.val_fraction, seed=options.seed)


def draw_remarks(before: Iterable[Record], after: Iterable[Record]) -> Iterator[str]:
    """One remark where splits were drawn."""
    moved = {new.split for old, new in zip(before, after, strict=True) if old != new}
    if Split.TEST in moved:
        yield f"the layout has no splits: {TEST_FRACTION:.0%} were drawn as test, then val"
    elif moved:
        yield "val was drawn from train: the layout has none"


def with_test_and_val(records: tuple[Record, ...], options: ImportOptions) -> tuple[Record, ...]:
    """The records, all of train, with test drawn first and val from the rest."""
    held_out = move_drawn(records, to=Split.TEST, fraction=TEST_FRACTION, seed=options.seed)
    return with_val(held_out, options)
