"""EmoSet (Yang et al., ICCV 2023): `{train,val,test}.json` of label, image and annotation."""

from models.labels import MIKELS
from training.data.canonical import Split
from training.data.importers.index_files import IMAGE, LABEL, index_listing
from training.data.importers.listing import BadLayout, ImportOptions, Listing, refuse_labels
from training.data.importers.lookup import find_file
from training.data.rows import Row, check_distinct, json_array_rows
from training.data.source import Source

COLUMNS = (LABEL, IMAGE, "annotation")


def import_emoset(source: Source, options: ImportOptions) -> Listing:
    """The listing of EmoSet; its annotations of brightness, objects and so on are left out."""
    refuse_labels(options, MIKELS.names)
    files = {split: find_file(source, f"{split}.json") for split in Split}
    present = {split: file for split, file in files.items() if file is not None}
    if Split.TRAIN not in present:
        raise BadLayout(f"{source.description} has no train.json; expected one beside image/")
    indexes = {split: _rows(source, file) for split, file in present.items()}
    return index_listing(
        source, indexes, MIKELS, options, label=_label, used=tuple(present.values())
    )


def _rows(source: Source, file: str) -> tuple[Row, ...]:
    rows = json_array_rows(source.read(file), file=file, columns=COLUMNS)
    check_distinct(rows, lambda row: row.text(IMAGE))
    return rows


def _label(row: Row) -> str:
    label = row.text(LABEL)
    if label not in MIKELS.names:
        raise row.bad(given=f"label {label!r}", expected=f"one of {', '.join(MIKELS.names)}")
    return label
