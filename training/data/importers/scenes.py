"""Places365-standard and MiniPlaces: lists of image and class number, and a list of classes."""

from dataclasses import dataclass

from models.labels import LabelSet
from training.data.canonical import Split
from training.data.importers.index_files import IMAGE, INDEX, LABEL, index_listing
from training.data.importers.listing import ImportOptions, Listing, refuse_labels
from training.data.importers.lookup import find_file, required_file
from training.data.rows import BadRow, Row, check_distinct, delimited_rows
from training.data.source import Source


@dataclass(frozen=True, slots=True)
class SceneLists:
    """Imports a set of scenes from its list of classes and its lists of images."""

    categories: str
    train: str
    val: str

    def __call__(self, source: Source, options: ImportOptions) -> Listing:
        categories = required_file(source, self.categories)
        labels = LabelSet(names=_class_order(_rows(source, categories), categories))
        refuse_labels(options, labels.names)
        files = {Split.TRAIN: required_file(source, self.train)}
        val = find_file(source, self.val)
        if val is not None:
            files[Split.VAL] = val
        indexes = {split: _rows(source, file) for split, file in files.items()}
        return index_listing(
            source,
            indexes,
            labels,
            options,
            label=lambda row: _class_name(row, labels),
            used=(categories, *files.values()),
        )


import_places365 = SceneLists(
    "categories_places365.txt", "places365_train_standard.txt", "places365_val.txt"
)
import_miniplaces = SceneLists("categories.txt", "train.txt", "val.txt")


def _rows(source: Source, file: str) -> tuple[Row, ...]:
    rows = delimited_rows(source.read(file), file=file, delimiter=" ", columns=INDEX)
    check_distinct(rows, lambda row: row.text(IMAGE))
    return rows


def _class_order(rows: tuple[Row, ...], file: str) -> tuple[str, ...]:
    """The classes by their written numbers, which may come in any order but without gaps."""
    check_distinct(rows, lambda row: str(row.count(LABEL)))
    names = {row.count(LABEL): _scene(row) for row in rows}
    missing = sorted(set(range(len(names))) - set(names))
    if missing or not names:
        given = f"{len(names)} classes without number {', '.join(map(str, missing)) or 0}"
        raise BadRow.at(file, len(rows), given=given, expected="numbers from 0 on, without a gap")
    return tuple(names[number] for number in range(len(names)))


def _scene(row: Row) -> str:
    """The name of a scene: `/a/airfield` without the folder of its first letter."""
    match row.text(IMAGE).split("/", 2):
        case ["", letter, name] if name.startswith(letter):
            return name
    raise row.bad(given=f"class {row.text(IMAGE)!r}", expected="a path such as /a/airfield")


def _class_name(row: Row, labels: LabelSet) -> str:
    number = row.count(LABEL)
    if number >= len(labels):
        raise row.bad(given=f"class {number}", expected=f"a number below {len(labels)}")
    return labels.names[number]
