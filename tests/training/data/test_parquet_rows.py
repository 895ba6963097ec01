"""Metadata in Parquet, as the Hugging Face imagefolder loader has it."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from models.labels import LabelKind
from tests.training.data.layouts import as_folder, listed, pictures
from training.data.canonical import CanonicalDataset, Split
from training.data.importers.listing import ImportOptions
from training.data.importing import import_dataset
from training.data.parquet_rows import NoPyarrow, parquet_rows
from training.data.rows import BadRow

FILE = "metadata.parquet"
PETS = {"label": {"names": ["dog", "cat"], "_type": "ClassLabel"}, "file_name": {"_type": "Value"}}


def packed(rows: list[dict[str, Any]], features: dict[str, Any] | None = None) -> bytes:
    """The rows as a file, with what the Hugging Face library says of their columns."""
    table = pa.Table.from_pylist(rows)
    if features is not None:
        said = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": said})
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def pets(*labels: Any) -> bytes:
    return packed(
        [{"file_name": f"{n}.png", "label": label} for n, label in enumerate(labels)], PETS
    )


def test_every_kind_of_label_is_imported(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"label": "glad", "labels": ["glad", "calm"], "joy": 0.75, "fear": 0.25, "text": "a dog"},
        {"label": "sad", "labels": [], "joy": 0.0, "fear": 1.0, "text": None},
        {"label": None, "labels": None, "joy": None, "fear": None, "text": "a cat"},
    ]
    named = [{"file_name": f"{n}.png", **row} for n, row in enumerate(rows)]
    files = pictures(["train/0.png", "train/1.png", "train/2.png", "test/3.png"])
    files[f"train/{FILE}"] = packed(named)
    files[f"test/{FILE}"] = packed([{**named[0], "file_name": "3.png"}])
    (source,) = as_folder(tmp_path, files)
    import_dataset(
        format="imagefolder",
        sources=[source],
        destination=tmp_path / "made",
        name="moods",
        options=ImportOptions(val_fraction=0),
        progress=lambda step, done, total: None,
    )
    made = CanonicalDataset.open(tmp_path / "made")
    assert {kind: labels.names for kind, labels in made.label_sets.items()} == {
        LabelKind.SINGLE: ("glad", "sad"),
        LabelKind.MULTI: ("calm", "glad"),
        LabelKind.DISTRIBUTION: ("joy", "fear"),
    }
    first, second, third = (each for each in made.samples if each.split is Split.TRAIN)
    assert (first.single, first.multi, first.shares) == (0, (0, 1), (0.75, 0.25))
    assert (second.single, second.multi, second.captions) == (1, (), ())
    assert (third.single, third.multi, third.shares, third.captions) == (
        None,
        None,
        None,
        ("a cat",),
    )


def test_numbers_of_classes_are_their_names_where_the_file_says_them(tmp_path: Path) -> None:
    files = pictures(["0.png", "1.png", "2.png", "3.png"]) | {FILE: pets(0, 1, -1, None)}
    listing = listed("imagefolder", tmp_path, files, val_fraction=0)
    assert listing.label_sets[LabelKind.SINGLE].names == ("cat", "dog")
    assert [record.label for record in listing.records] == ["dog", "cat", None, None]


@pytest.mark.parametrize("features", [None, {}, {"label": {"names": 3}}, [], {"label": 7}])
def test_numbers_stay_where_the_file_does_not_say_names(features: Any) -> None:
    (row,) = parquet_rows(packed([{"label": 1}], features), file=FILE)
    assert row.name("label") == "1"


@pytest.mark.parametrize("label", [2, -2])
def test_class_without_a_name_is_an_error_with_its_row(label: int) -> None:
    with pytest.raises(BadRow, match=rf"parquet, row 2: given class {label}; .*one of 2 classes"):
        parquet_rows(pets(0, label), file=FILE)


@pytest.mark.parametrize("content", [b"", b"PAR1", pets(0)[:-20], pets(0)[:40] + b"PAR1"])
def test_what_is_no_parquet_is_an_error_in_one_line(content: bytes) -> None:
    with pytest.raises(BadRow, match=r"metadata\.parquet, row 1: given .*; expected a Parquet fi"):
        parquet_rows(content, file=FILE)


def test_a_small_file_that_unpacks_to_too_much_is_refused() -> None:
    content = packed([{"file_name": "x" * 1000}] * 2000)
    assert len(content) < 20_000
    with pytest.raises(BadRow, match="bytes up to here; expected at most 1500000 in all rows"):
        parquet_rows(content, file=FILE, max_bytes=1_500_000)


def test_the_same_file_twice_is_named_with_its_rows(tmp_path: Path) -> None:
    twice = packed([{"file_name": "0.png", "label": "a"}] * 2)
    with pytest.raises(
        BadRow, match=r"row 2: given '0\.png' again; expected it once; it is on row 1"
    ):
        listed("imagefolder", tmp_path, pictures(["0.png"]) | {FILE: twice})


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as where it is not installed
    with pytest.raises(NoPyarrow, match=r"metadata\.parquet is read with the 'parquet' extra"):
        parquet_rows(b"", file=FILE)
