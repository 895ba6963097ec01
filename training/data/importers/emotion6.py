"""Emotion6 (Peng et al., CVPR 2015): `ground_truth.txt`, `images/<keyword>/`, `folds.csv`."""

from collections.abc import Mapping

from models.labels import EMOTION6, LabelKind
from training.data.canonical import Split
from training.data.importers.folds import split_by_fold
from training.data.importers.listing import (
    KEYWORDS,
    BadLayout,
    ImportOptions,
    Listing,
    Record,
    label_set,
    refuse_labels,
)
from training.data.importers.lookup import unused_files
from training.data.rows import Row, check_columns, check_distinct, delimited_rows
from training.data.source import Source, is_safe

GROUND_TRUTH, FOLDS = "ground_truth.txt", "folds.csv"
FILE_COLUMN = "[image_filename]"
SHARE_COLUMNS = tuple(f"[prob. {name}]" for name in EMOTION6.names)

SUM_TOLERANCE = 1e-3
"""The published probabilities sum to 1 within 2e-6; four decimals would stay within 4e-4."""


def import_emotion6(source: Source, options: ImportOptions) -> Listing:
    """The listing of Emotion6: probabilities of seven emotions, and the keyword as the class."""
    refuse_labels(options, EMOTION6.names)
    if GROUND_TRUTH not in source.names():
        raise BadLayout(f"{source.description} has no {GROUND_TRUTH}; expected it beside images/")
    rows = delimited_rows(source.read(GROUND_TRUTH), file=GROUND_TRUTH, delimiter="\t")
    check_columns(rows, (FILE_COLUMN, *SHARE_COLUMNS), file=GROUND_TRUTH)
    check_distinct(rows, lambda row: row.text(FILE_COLUMN))
    records = tuple(map(_record, rows))
    placed, remarks = split_by_fold(records, _folds(source, options), options)
    return Listing(
        label_sets={
            LabelKind.SINGLE: label_set(KEYWORDS),
            LabelKind.DISTRIBUTION: EMOTION6,
        },
        records=placed,
        ignored=unused_files(source, records, GROUND_TRUTH, FOLDS),
        remarks=remarks,
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


def _folds(source: Source, options: ImportOptions) -> Mapping[str, int]:
    """The fold of every image that `folds.csv` lists; none where no fold is asked for or known."""
    if FOLDS not in source.names() or options.test_fold is None:
        return {}
    rows = delimited_rows(source.read(FOLDS), file=FOLDS)
    check_columns(rows, ("file_name", "fold"), file=FOLDS)
    return {f"images/{row.text('file_name')}": row.count("fold") for row in rows}
