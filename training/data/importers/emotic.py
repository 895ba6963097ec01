"""EMOTIC (Kosti et al., CVPR 2017): people in context, each with some of 26 categories.

Training sees whole images: the labels of an image are those of all the people in it together.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from models.labels import LabelKind, LabelSet
from training.data.canonical import Split
from training.data.importers.draw import draw_remarks, with_val
from training.data.importers.listing import (
    BadLayout,
    ImportOptions,
    Listing,
    Record,
    refuse_labels,
)
from training.data.importers.lookup import ImageIndex, find_file, unused_files
from training.data.importers.matlab import classic_structures, items
from training.data.rows import Row, check_columns, delimited_rows
from training.data.source import Source

EMOTIC = LabelSet(
    names=(
        "Affection",
        "Anger",
        "Annoyance",
        "Anticipation",
        "Aversion",
        "Confidence",
        "Disapproval",
        "Disconnection",
        "Disquietment",
        "Doubt/Confusion",
        "Embarrassment",
        "Engagement",
        "Esteem",
        "Excitement",
        "Fatigue",
        "Fear",
        "Happiness",
        "Pain",
        "Peace",
        "Pleasure",
        "Sadness",
        "Sensitivity",
        "Suffering",
        "Surprise",
        "Sympathy",
        "Yearning",
    )
)
"""The 26 categories in the alphabetical order of the paper; the annotations name them."""

ANNOTATIONS = "Annotations.mat"
FOLDER, FILE, CATEGORIES = "Folder", "Filename", "Categorical_Labels"


def import_emotic(source: Source, options: ImportOptions) -> Listing:
    """The listing of EMOTIC: for each image the union of its people's categories."""
    refuse_labels(options, EMOTIC.names)
    annotations = find_file(source, ANNOTATIONS)
    if annotations is not None:
        files = dict.fromkeys(Split, annotations)
        rows = _matlab_rows(source.read(annotations), annotations)
    else:
        found = {split: find_file(source, f"{split}.csv") for split in Split}
        files = {split: file for split, file in found.items() if file is not None}
        rows = {split: _csv_rows(source, file) for split, file in files.items()}
    if Split.TRAIN not in files:
        raise BadLayout(f"{source.description} has neither {ANNOTATIONS} nor train.csv")
    records, remarks = _merged(rows, ImageIndex(source))
    with_splits = with_val(records, options)
    return Listing(
        label_sets={LabelKind.MULTI: EMOTIC},
        records=with_splits,
        ignored=unused_files(source, records, *files.values()),
        remarks=(*remarks, *draw_remarks(records, with_splits)),
    )


def _csv_rows(source: Source, file: str) -> tuple[Row, ...]:
    rows = delimited_rows(source.read(file), file=file)
    check_columns(rows, (FOLDER, FILE, CATEGORIES), file=file)
    return rows


def _matlab_rows(content: bytes, file: str) -> Mapping[Split, tuple[Row, ...]]:
    """A row for each person, with the cells that the CSV form has, numbered by image."""
    variables = classic_structures(content, file=file)
    missing = [split for split in Split if split not in variables]
    if missing:
        raise BadLayout(f"{file} has no {', '.join(missing)}; expected {', '.join(Split)}")
    return {
        split: tuple(
            row
            for number, image in enumerate(items(variables[split]), start=1)
            for row in _people(image, f"{file}, {split}", number)
        )
        for split in Split
    }


def _people(image: Any, file: str, number: int) -> Iterator[Row]:
    try:
        for person in items(image["person"]):
            cells = {FOLDER: image["folder"], FILE: image["filename"]}
            yield Row(file, number, cells | {CATEGORIES: _person_categories(person)}, unit="image")
    except (KeyError, TypeError, IndexError) as error:
        bad = Row(file, number, {}, unit="image")
        raise bad.bad(given=f"no {error}", expected="filename, folder and person") from error


def _person_categories(person: Mapping[str, Any]) -> list[Any]:
    """Of several annotators, who val and test have, the published combination."""
    if "combined_categories" in person:
        return items(person["combined_categories"])
    return items(person["annotations_categories"]["categories"])


def _merged(
    rows: Mapping[Split, Iterable[Row]], images: ImageIndex
) -> tuple[tuple[Record, ...], Iterator[str]]:
    """A record for each image; one whose people are in several splits is in the last of them."""
    held: dict[str, set[str]] = {}
    splits: dict[str, list[Split]] = {}
    for split in Split:
        for row in rows.get(split, ()):
            path = images.path(row, f"{row.text(FOLDER)}/{row.text(FILE)}")
            held.setdefault(path, set()).update(_categories(row))
            splits.setdefault(path, []).append(split)
    records = tuple(
        Record(path, splits[path][-1], labels=tuple(n for n in EMOTIC.names if n in names))
        for path, names in held.items()
    )
    return records, _remarks(splits)


def _remarks(splits: Mapping[str, list[Split]]) -> Iterator[str]:
    people = sum(map(len, splits.values()))
    yield f"{people} people in {len(splits)} images: an image has the labels of all of them"
    crossing = sum(len(set(found)) > 1 for found in splits.values())
    if crossing:
        yield f"{crossing} images with people in several splits: kept in the last of them"


def _categories(row: Row) -> list[str]:
    value = row.cells[CATEGORIES]
    try:
        found: object = ast.literal_eval(value) if isinstance(value, str) else value
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(name in EMOTIC.names for name in found):
        given = f"{value!r} for {CATEGORIES}"
        raise row.bad(given=given, expected=f"a list of some of {', '.join(EMOTIC.names)}")
    return found
