"""Emotion6 (Peng et al., CVPR 2015): `ground_truth.txt`, `images/<keyword>/`, `folds.csv`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from models.labels import EMOTION6, LabelKind
from training.data.canonical import Split
from training.data.importers.draw import with_test_and_val, with_val
from training.data.importers.listing import (
    KEYWORDS,
    BadLayout,
    BadOption,
    ImportOptions,
    Listing,
    Record,
    label_set,
)
from training.data.rows import Row, check_columns, check_distinct, delimited_rows
from training.data.source import Source, is_safe

GROUND_TRUTH, FOLDS = "ground_truth.txt", "folds.csv"
FILE_COLUMN = "[image_filename]"
SHARE_COLUMNS = tuple(f"[prob. {name}]" for name in EMOTION6.names)

SUM_TOLERANCE = 1e-3
"""The published probabilities sum to 1 within 2e-6; four decimals would stay within 4e-4."""


def import_emotion6(source: Source, options: ImportOptions) -> Listing:
    """The listing of Emotion6: probabilities of seven emotions, and the keyword as the class."""
    if options.labels is not None:
        raise BadOption("labels were given for emotion6, whose order is fixed: leave them out")
    names = source.names()
    if GROUND_TRUTH not in names:
        raise BadLayout(f"{source.description} has no {GROUND_TRUTH}; expected it beside images/")
    rows = delimited_rows(source.read(GROUND_TRUTH), file=GROUND_TRUTH, delimiter="\t")
    check_columns(rows, (FILE_COLUMN, *SHARE_COLUMNS), file=GROUND_TRUTH)
    check_distinct(rows, lambda row: row.text(FILE_COLUMN))
    records = tuple(map(_record, rows))
    listed = {record.file_name for record in records}
    has_folds = FOLDS in names and options.test_fold is not None
    return Listing(
        label_sets={
            LabelKind.SINGLE: label_set(KEYWORDS),
            LabelKind.DISTRIBUTION: EMOTION6,
        },
        records=(_by_fold if has_folds else _by_draw)(source, records, options),
        ignored=tuple(n for n in names if n not in listed | {GROUND_TRUTH, FOLDS}),
        remarks=(_split_remark(options, has_folds=has_folds),),
    )


def _record(row: Row) -> Record:
    name = row.text(FILE_COLUMN)
    keyword = name.partition("/")[0]
    if keyword not in KEYWORDS or not is_safe(name):
        raise row.bad(given=f"file {name!r}", expected=f"<keyword>/<image>: {', '.join(KEYWORDS)}")
    shares = tuple(row.number(column) for column in SHARE_COLUMNS)
    if abs(sum(shares) - 1) > SUM_TOLERANCE:
        raise row.bad(
            given=f"probabilities that sum to {sum(shares):.6g}",
            expected=f"a sum of 1 within {SUM_TOLERANCE}",
        )
    return Record(f"images/{name}", Split.TRAIN, label=keyword, shares=shares)


def _by_draw(
    source: Source, records: tuple[Record, ...], options: ImportOptions
) -> tuple[Record, ...]:
    return with_test_and_val(records, options)


def _by_fold(
    source: Source, records: tuple[Record, ...], options: ImportOptions
) -> tuple[Record, ...]:
    folds = _folds(delimited_rows(source.read(FOLDS), file=FOLDS))
    without = [r.file_name for r in records if r.file_name not in folds]
    if without:
        raise BadLayout(
            f"{FOLDS} has no fold for {len(without)} files, first {without[0]!r}; "
            f"expected one for each row of {GROUND_TRUTH}"
        )
    if options.test_fold not in folds.values():
        known = ", ".join(map(str, sorted(set(folds.values()))))
        raise BadOption(f"given test_fold {options.test_fold}; expected one of {known}")
    return with_val(tuple(_placed(records, folds, options.test_fold)), options)


def _placed(
    records: tuple[Record, ...], folds: Mapping[str, int], test_fold: int | None
) -> Iterator[Record]:
    for record in records:
        is_test = folds[record.file_name] == test_fold
        yield replace(record, split=Split.TEST) if is_test else record


def _folds(rows: tuple[Row, ...]) -> dict[str, int]:
    check_columns(rows, ("file_name", "fold"), file=FOLDS)
    return {f"images/{row.text('file_name')}": _fold(row) for row in rows}


def _fold(row: Row) -> int:
    number = row.number("fold")
    if number != int(number):
        raise row.bad(given=f"fold {row.cells['fold']!r}", expected="a whole number")
    return int(number)


def _split_remark(options: ImportOptions, *, has_folds: bool) -> str:
    if has_folds:
        return f"fold {options.test_fold} of {FOLDS} is test, val was drawn from the others"
    return "test and val were drawn: no fold was asked for, or there is no folds.csv"
