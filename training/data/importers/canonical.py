"""Images with `metadata.csv`, `.jsonl` or `.parquet`, as Hugging Face's imagefolder has them.

One metadata file at the root, or one in each folder; `dataset.json` may give the order of labels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from models.labels import LabelKind, LabelSet
from training.data.canonical import CARD, Split
from training.data.columns import (
    CAPTION,
    FILE_NAME,
    LABEL,
    LABELS,
    RESERVED,
    ROWS,
    SPLIT,
    metadata_columns,
    metadata_file,
    row_captions,
    row_file,
    row_label,
    row_labels,
    row_shares,
)
from training.data.importers.class_folder import SPLIT_FOLDERS
from training.data.importers.draw import with_test_and_val, with_val
from training.data.importers.listing import (
    BadLayout,
    BadOption,
    ImportOptions,
    Listing,
    Record,
    label_set,
)
from training.data.rows import BadRow, Row, check_columns, check_distinct
from training.data.source import Source

TEXT = "text"
"""What the examples of the Hugging Face loader call the column of captions."""


class _Labels(BaseModel):
    """The part of `dataset.json` that an import reads."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    label_sets: dict[LabelKind, LabelSet]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row, and the folder that its file name starts from."""

    folder: str
    row: Row

    def file_name(self) -> str:
        return (PurePosixPath(self.folder) / row_file(self.row)).as_posix()

    def split(self) -> Split | None:
        """The split of the row, else of the folder its file is in."""
        if self.row.has(SPLIT):
            return self._named_split(self.row.text(SPLIT))
        return SPLIT_FOLDERS.get(self.file_name().partition("/")[0].lower())

    def _named_split(self, name: str) -> Split:
        if name.lower() in SPLIT_FOLDERS:
            return SPLIT_FOLDERS[name.lower()]
        raise self.row.bad(given=f"split {name!r}", expected=f"one of {', '.join(SPLIT_FOLDERS)}")


def import_canonical(source: Source, options: ImportOptions) -> Listing:
    """The listing of images that metadata files describe."""
    files = _metadata_files(source)
    entries = tuple(entry for file in files for entry in _entries(source, file))
    rows = [entry.row for entry in entries]
    label_sets = _written_order(source, rows) or _found_order(rows, options)
    caption = _caption_column(rows)
    if not label_sets and not any(row.has(caption) for row in rows):
        raise BadLayout(
            f"{', '.join(files)}: neither labels nor captions; expected a column {LABEL}, "
            f"{LABELS} or {CAPTION}, or a column of shares for each emotion"
        )
    listed = tuple(_record(entry, label_sets, caption) for entry in entries)
    records = _with_splits(entries, listed, options)
    used = {record.file_name for record in records} | {*files, CARD}
    return Listing(
        label_sets=label_sets,
        records=records,
        ignored=tuple(name for name in source.names() if name not in used),
        remarks=tuple(_remarks(rows, label_sets)),
    )


def _metadata_files(source: Source) -> tuple[str, ...]:
    folders: dict[str, list[str]] = {}
    for name in source.names():
        folder, _, base = name.rpartition("/")
        if base in ROWS:
            folders.setdefault(folder, []).append(base)
    if not folders:
        raise BadLayout(f"{source.description} has no metadata file; expected {' or '.join(ROWS)}")
    return tuple(
        f"{folder}/{metadata_file(bases, folder)}" if folder else metadata_file(bases, "the root")
        for folder, bases in folders.items()
    )


def _entries(source: Source, file: str) -> Iterator[_Entry]:
    rows = ROWS[PurePosixPath(file).name](source.read(file), file)
    check_columns(rows, (FILE_NAME,), file=file)
    check_distinct(rows, row_file)
    return (_Entry(file.rpartition("/")[0], row) for row in rows)


def _written_order(source: Source, rows: Sequence[Row]) -> Mapping[LabelKind, LabelSet] | None:
    """The label sets that `dataset.json` writes down, where there is one."""
    if CARD not in source.names():
        return None
    try:
        label_sets = _Labels.model_validate_json(source.read(CARD)).label_sets
    except ValidationError as error:
        raise BadLayout(
            f"{CARD} does not say the label sets: {error}; expected label_sets, or no {CARD}"
        ) from error
    needed = [column for column in metadata_columns(label_sets) if column != SPLIT]
    check_columns(rows, needed, file=rows[0].file)
    return label_sets


def _found_order(rows: Sequence[Row], options: ImportOptions) -> Mapping[LabelKind, LabelSet]:
    """The label sets in the order of the options, else names sorted and columns as they come."""
    single, multi = _single_names(rows), _multi_names(rows)
    names = {
        LabelKind.SINGLE: single and (options.labels or tuple(sorted(single))),
        LabelKind.MULTI: multi and (options.labels or tuple(sorted(multi))),
        LabelKind.DISTRIBUTION: _share_columns(rows, options),
    }
    return {kind: label_set(tuple(found)) for kind, found in names.items() if found}


def _other_columns(rows: Iterable[Row]) -> tuple[str, ...]:
    columns = dict.fromkeys(column for row in rows for column in row.cells)
    return tuple(column for column in columns if column not in (*RESERVED, TEXT))


def _caption_column(rows: Iterable[Row]) -> str:
    columns = {column for row in rows for column in row.cells}
    return TEXT if TEXT in columns and CAPTION not in columns else CAPTION


def _share_columns(rows: Sequence[Row], options: ImportOptions) -> tuple[str, ...]:
    columns = _other_columns(rows)
    if options.labels is None:
        _check_shares(rows, columns)
        return columns
    if not set(columns) & set(options.labels):
        return ()
    missing = [name for name in options.labels if name not in columns]
    if missing:
        raise BadOption(
            f"given labels of which {', '.join(missing)} have no column; "
            f"expected labels among the columns {', '.join(columns)}"
        )
    return options.labels


def _check_shares(rows: Sequence[Row], columns: tuple[str, ...]) -> None:
    shares = LabelSet(names=columns) if columns else None
    try:
        for row in rows:
            row_shares(row, shares)
    except BadRow as error:
        labels = _label_names(rows) or [name for name in columns if _is_numeric(rows, name)]
        raise BadRow(
            f"{error}; a column that is none of {', '.join((*RESERVED, TEXT))} is taken for the "
            f"shares of an emotion: call it {LABEL} where it holds the label, {CAPTION} where it "
            "describes the image; else remove it, or name the labels, so that other columns are "
            f"left out (--labels {','.join(labels) or 'joy,fear'}; over REST the field labels)"
        ) from error


def _label_names(rows: Sequence[Row]) -> list[str]:
    return sorted(_single_names(rows) | _multi_names(rows))


def _single_names(rows: Iterable[Row]) -> set[str]:
    return {row.name(LABEL) for row in rows if row.has(LABEL)}


def _multi_names(rows: Iterable[Row]) -> set[str]:
    return {name for row in rows if row.has(LABELS) for name in row.texts(LABELS)}


def _is_numeric(rows: Iterable[Row], column: str) -> bool:
    return all(_is_number(row, column) for row in rows)


def _is_number(row: Row, column: str) -> bool:
    try:
        return not row.has(column) or row.number(column) >= 0
    except BadRow:
        return False


def _record(entry: _Entry, label_sets: Mapping[LabelKind, LabelSet], caption: str) -> Record:
    row = entry.row
    return Record(
        file_name=entry.file_name(),
        split=entry.split() or Split.TRAIN,
        label=row_label(row, label_sets.get(LabelKind.SINGLE)),
        labels=row_labels(row, label_sets.get(LabelKind.MULTI)),
        shares=row_shares(row, label_sets.get(LabelKind.DISTRIBUTION)),
        captions=row_captions(row, caption),
    )


def _with_splits(
    entries: Sequence[_Entry], records: tuple[Record, ...], options: ImportOptions
) -> tuple[Record, ...]:
    """The records as they are where all have a split; drawn where none has."""
    without = [entry for entry in entries if entry.split() is None]
    if not without:
        return with_val(records, options)
    if len(without) < len(entries):
        raise without[0].row.bad(given="no split", expected="a split, since other rows have one")
    return with_test_and_val(records, options)


def _remarks(rows: Sequence[Row], label_sets: Mapping[LabelKind, LabelSet]) -> Iterator[str]:
    columns = dict.fromkeys(column for row in rows for column in row.cells)
    used = (*metadata_columns(label_sets), _caption_column(rows))
    unused = [column for column in columns if column not in used]
    if unused:
        yield f"columns not used: {', '.join(unused)}"
    for kind, names in label_sets.items():
        yield f"{kind} labels in this order: {', '.join(names.names)}"
