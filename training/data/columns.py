"""The columns of a dataset's metadata, and what a row says in each."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath

from models.labels import LabelKind, LabelSet
from training.data.parquet_rows import parquet_rows
from training.data.rows import Row, delimited_rows, json_rows
from training.data.source import is_safe
from training.errors import TrainingError

FILE_NAME, SPLIT, LABEL, LABELS, CAPTION = "file_name", "split", "label", "labels", "caption"
RESERVED = (FILE_NAME, SPLIT, LABEL, LABELS, CAPTION)
"""Columns that no label of a distribution may be named after."""

ROWS: Mapping[str, Callable[[bytes, str], tuple[Row, ...]]] = {
    "metadata.csv": lambda content, file: delimited_rows(content, file=file),
    "metadata.jsonl": lambda content, file: json_rows(content, file=file),
    "metadata.parquet": lambda content, file: parquet_rows(content, file=file),
}
"""The metadata files that are read, and how."""

_BEGINS_A_LIST = re.compile(r"\s*\[\s*[\"\]]")
"""What a JSON list of texts begins with; a caption may well begin with a bracket alone."""


class BadDataset(TrainingError):
    """The folder is not a canonical dataset."""


def metadata_file(names: Collection[str], folder: str) -> str:
    """The one metadata file among the `names` of a folder."""
    found = [name for name in ROWS if name in names]
    if len(found) == 1:
        return found[0]
    given = " and ".join(found) or "no metadata file"
    raise BadDataset(f"{folder} has {given}; expected one of {', '.join(ROWS)}: keep one")


def metadata_columns(label_sets: Mapping[LabelKind, LabelSet]) -> tuple[str, ...]:
    """The columns that metadata with these label sets has; a caption may come on top."""
    columns = [FILE_NAME, SPLIT]
    columns += [LABEL] if LabelKind.SINGLE in label_sets else []
    columns += [LABELS] if LabelKind.MULTI in label_sets else []
    shares = label_sets.get(LabelKind.DISTRIBUTION)
    return (*columns, *(shares.names if shares else ()))


def row_file(row: Row) -> str:
    """The file a row names; it may not leave the folder of the metadata."""
    name = row.text(FILE_NAME)
    if not is_safe(name):
        expected = "a relative path with forward slashes and no '..'"
        raise row.bad(given=f"{FILE_NAME} {name!r}", expected=expected)
    return PurePosixPath(name).as_posix()


def row_label(row: Row, known: LabelSet | None) -> str | None:
    """The one label of a row; none where its cell is empty."""
    if known is None or not row.has(LABEL):
        return None
    label = row.name(LABEL)
    _check_known(row, (label,), known)
    return label


def row_labels(row: Row, known: LabelSet | None) -> tuple[str, ...] | None:
    """The labels that hold, maybe no one; none where the cell is empty."""
    if known is None or not row.has(LABELS):
        return None
    labels = row.texts(LABELS)
    _check_known(row, labels, known)
    return labels


def _check_known(row: Row, labels: Collection[str], known: LabelSet) -> None:
    unknown = [label for label in labels if label not in known.names]
    if unknown:
        given = f"unknown label {', '.join(map(repr, unknown))}"
        raise row.bad(given=given, expected=f"one of {', '.join(known.names)}")


def row_shares(row: Row, known: LabelSet | None) -> tuple[float, ...] | None:
    """The shares of a row in the order of `known`; none where all their cells are empty."""
    if known is None or not any(row.has(name) for name in known.names):
        return None
    shares = tuple(row.number(name) for name in known.names)
    if sum(shares) == 0:
        expected = "a share above 0, or empty cells where nothing is known"
        raise row.bad(given="shares that are all 0", expected=expected)
    return shares


def row_captions(row: Row, column: str = CAPTION) -> tuple[str, ...]:
    """The captions of a row: a text, or a list of texts, which CSV holds as JSON."""
    if not row.has(column):
        return ()
    value = row.cells[column]
    if isinstance(value, str):
        if not _BEGINS_A_LIST.match(value):
            return (row.text(column),)
        value = _parsed(value)
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        given = f"{row.cells[column]!r} for {column}"
        raise row.bad(given=given, expected='a text, or a list such as ["A dog.", "A dog runs."]')
    return tuple(text.strip() for text in value)


def _parsed(cell: str) -> object:
    try:
        return json.loads(cell)
    except ValueError:
        return None


def captions_cell(captions: tuple[str, ...]) -> str:
    """The captions as the cell that `row_captions` reads."""
    if len(captions) == 1 and not _BEGINS_A_LIST.match(captions[0]):
        return captions[0]
    return json.dumps(captions, ensure_ascii=False) if captions else ""
