"""Splits out of folds: one fold is test, val is drawn from the others."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from training.data.canonical import Split
from training.data.importers.draw import draw_remarks, with_test_and_val, with_val
from training.data.importers.listing import BadLayout, BadOption, ImportOptions, Record

Placed = tuple[tuple[Record, ...], tuple[str, ...]]
"""Records with their splits, and the remark that says how they got them."""


def split_by_fold(
    records: tuple[Record, ...], folds: Mapping[str, int], options: ImportOptions
) -> Placed:
    """The records with the fold that the options ask for as test; drawn where there are no folds.

    `folds` holds the fold of every file, or nothing.
    """
    if not folds or options.test_fold is None:
        drawn = with_test_and_val(records, options)
        return drawn, tuple(draw_remarks(records, drawn))
    without = [record.file_name for record in records if record.file_name not in folds]
    if without:
        raise BadLayout(
            f"there is no fold for {len(without)} of {len(records)} images, first {without[0]!r}; "
            "expected one for each"
        )
    check_fold(options.test_fold, folds.values())
    placed = tuple(
        replace(r, split=Split.TEST) if folds[r.file_name] == options.test_fold else r
        for r in records
    )
    remark = f"fold {options.test_fold} is test, val was drawn from the others"
    return with_val(placed, options), (remark,)


def check_fold(fold: int, known: Collection[int]) -> None:
    """The fold of the options has to be there."""
    if fold not in known:
        listed = ", ".join(map(str, sorted(set(known))))
        raise BadOption(f"given test_fold {fold}; expected one of {listed}")
