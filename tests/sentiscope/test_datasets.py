"""`sentiscope datasets`: imports from folders and zip files, and the list."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sentiscope import image_files
from tests.sentiscope.command_line import refusal, sentiscope
from tests.sentiscope.conftest import Workshop
from tests.training.data.layouts import as_folder, as_zip, as_zips, pictures
from training.data.importers.listing import IMAGE_SUFFIXES

Packing = Callable[[Path, Mapping[str, bytes]], list[Path]]

CLASSES = pictures(
    f"{split}/{label}/{n}.jpg"
    for split in ("train", "val", "test")
    for label in ("sad", "glad")
    for n in range(2)
)


def imported(tmp_path: Path, sources: list[Path], *options: object) -> tuple[str, Path]:
    """What an import of a class folder says, and where it went."""
    command = ("datasets", "import", "class_folder", *sources, "--name", "mine")
    result = sentiscope(*command, "--root", tmp_path / "datasets", *options)
    assert result.exit_code == 0, result.output
    return result.stdout, tmp_path / "datasets" / "mine"


@pytest.mark.parametrize("pack", [as_folder, as_zip, as_zips])
def test_class_folder_is_imported_from_any_packing(tmp_path: Path, pack: Packing) -> None:
    said, made = imported(tmp_path, pack(tmp_path, CLASSES))
    card = json.loads((made / "dataset.json").read_text(encoding="utf-8"))
    assert card["label_sets"]["single"]["names"] == ["glad", "sad"]
    assert card["counts"] == {"train": 4, "val": 4, "test": 4}
    assert said.splitlines()[0] == "mine: 12 images (train 4, val 4, test 4)"
    assert said.splitlines()[-1] == f"digest {card['digest']}"


def test_hugging_face_s_imagefolder_is_imported_as_it_lies(tmp_path: Path) -> None:
    data = {f"data/{name}": content for name, content in CLASSES.items()}
    (source,) = as_folder(tmp_path, {**data, "README.md": b"# Moods"})
    root = tmp_path / "datasets"
    command = ("datasets", "import", "imagefolder", source, "--name", "moods", "--root", root)
    assert "12 images (train 4, val 4, test 4)" in sentiscope(*command).stdout
    assert sentiscope("datasets", "list", "--root", root).stdout.startswith("moods: single (2);")


def test_options_reach_the_data_set(tmp_path: Path) -> None:
    given = ("--labels", "sad, glad", "--title", "My own", "--terms", "Ours.")
    _, made = imported(tmp_path, as_folder(tmp_path, CLASSES), *given)
    card = json.loads((made / "dataset.json").read_text(encoding="utf-8"))
    assert card["label_sets"]["single"]["names"] == ["sad", "glad"]
    assert (card["name"], card["terms"]) == ("My own", "Ours.")


def test_unreadable_images_are_left_out_when_asked(tmp_path: Path) -> None:
    files = {**CLASSES, "train/sad/broken.jpg": b"no picture"}
    said, _ = imported(tmp_path, as_folder(tmp_path, files), "--skip-unreadable")
    assert "unreadable, left out: train/sad/broken.jpg" in said


def test_import_by_command_is_the_import_by_code(workshop: Workshop) -> None:
    cards = [
        json.loads((root / "colours" / "dataset.json").read_text(encoding="utf-8"))
        for root in (workshop.datasets, workshop.root / "drawn")
    ]
    assert cards[0]["digest"] == cards[1]["digest"]


def test_list_has_kinds_and_counts(workshop: Workshop) -> None:
    result = sentiscope("datasets", "list", "--root", workshop.datasets)
    expected = "colours: single (3), distribution (3); train 24, val 16, test 10\n"
    assert (result.exit_code, result.stdout) == (0, expected)


@pytest.mark.parametrize("name", ["", "none"])
def test_list_of_nothing_says_how_to_make_one(tmp_path: Path, name: str) -> None:
    result = sentiscope("datasets", "list", "--root", tmp_path / name)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "make one with `sentiscope datasets import`" in result.stderr


def test_list_names_a_damaged_data_set(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "dataset.json").write_text("{}", encoding="utf-8")
    assert refusal("datasets", "list", "--root", tmp_path).startswith(f"{tmp_path / 'mine'}")


def test_data_set_that_is_there_is_not_replaced(workshop: Workshop) -> None:
    before = (workshop.datasets / "colours" / "dataset.json").read_bytes()
    source = workshop.root / "drawn" / "colours-source"
    command = ("datasets", "import", "canonical", source, "--name", "colours")
    assert "exists; expected a new path" in refusal(*command, "--root", workshop.datasets)
    assert (workshop.datasets / "colours" / "dataset.json").read_bytes() == before


@pytest.mark.parametrize(
    ("format", "options", "reason"),
    [
        ("pictures", (), "class_folder"),
        ("class_folder", ("--labels", "sad,sad"), "distinct"),
        ("class_folder", ("--val-fraction", "2"), "val_fraction"),
        ("emotion6", (), "ground_truth.txt"),
    ],
)
def test_import_that_cannot_be_done_says_why_and_leaves_nothing(
    tmp_path: Path, format: str, options: tuple[str, ...], reason: str
) -> None:
    (source,) = as_folder(tmp_path, CLASSES)
    command = ("datasets", "import", format, source, "--name", "mine", *options)
    assert reason in refusal(*command, "--root", tmp_path / "datasets")
    assert not list((tmp_path / "datasets").glob("*"))


def test_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    command = ("datasets", "import", "fi", tmp_path / "none.zip", "--name", "fi")
    assert "none.zip" in refusal(*command, "--root", tmp_path)


def test_images_that_are_found_to_predict_are_found_to_import() -> None:
    assert image_files.SUFFIXES <= IMAGE_SUFFIXES
