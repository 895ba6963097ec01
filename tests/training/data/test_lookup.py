"""Files of a layout are found by the end of their path, and never guessed."""

from pathlib import Path

import pytest

from tests.training.data.layouts import write_folder
from training.data.canonical import Split
from training.data.importers.listing import BadLayout, Record
from training.data.importers.lookup import (
    ImageIndex,
    find_file,
    required_file,
    unused_files,
    without_suffix,
)
from training.data.rows import BadRow, Row
from training.data.source import Source, open_source

ROW = Row("t.csv", 5, {})


def source(root: Path, *names: str) -> Source:
    return open_source([write_folder(root, dict.fromkeys(names, b""))])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("images/a/1.jpg", "images/a/1.jpg"),
        ("a/1.jpg", "images/a/1.jpg"),
        ("2.jpg", "images/b/2.jpg"),
        ("b/1.jpg", None),
        ("mages/a/1.jpg", None),
        ("3.jpg", None),
    ],
)
def test_an_image_is_found_by_the_end_of_its_path(
    tmp_path: Path, name: str, found: str | None
) -> None:
    index = ImageIndex(source(tmp_path, "images/a/1.jpg", "images/b/2.jpg", "1.txt"))
    assert index.find(ROW, name) == found
    assert index.path(ROW, name) == (found or name)


def test_a_name_that_may_be_two_images_is_an_error_with_its_line(tmp_path: Path) -> None:
    index = ImageIndex(source(tmp_path, "a/1.jpg", "b/1.jpg"))
    with pytest.raises(
        BadRow, match=r"t\.csv, line 5: given image '1\.jpg', which may be a/1\.jpg, b"
    ):
        index.find(ROW, "1.jpg")


def test_the_whole_path_wins_over_the_end_of_another(tmp_path: Path) -> None:
    index = ImageIndex(source(tmp_path, "1.jpg", "b/1.jpg"))
    assert index.find(ROW, "1.jpg") == "1.jpg"


@pytest.mark.parametrize("name", ["../1.jpg", "/1.jpg", "a/../../1.jpg", "a\\1.jpg"])
def test_a_name_that_leads_out_of_the_source_is_an_error_with_its_line(
    tmp_path: Path, name: str
) -> None:
    index = ImageIndex(source(tmp_path, "1.jpg"))
    with pytest.raises(BadRow, match=r"line 5: .*expected a relative path"):
        index.find(ROW, name)


def test_names_may_be_compared_without_their_suffix(tmp_path: Path) -> None:
    index = ImageIndex(source(tmp_path, "a/st.-john.jpg", "b/x.jpg"), without_suffix)
    assert index.find(ROW, "st.-john") == "a/st.-john.jpg"


def test_a_label_file_is_found_in_whatever_folder(tmp_path: Path) -> None:
    found_in = source(tmp_path, "deep/in/train.txt", "a/x.jpg")
    assert find_file(found_in, "train.txt") == "deep/in/train.txt"
    assert find_file(found_in, "rain.txt") is None
    with pytest.raises(BadLayout, match=r"has no val\.txt; expected one"):
        required_file(found_in, "val.txt")


def test_two_label_files_of_one_name_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match=r"has a/train\.txt, b/train\.txt; keep one of them"):
        find_file(source(tmp_path, "a/train.txt", "b/train.txt"), "train.txt")


def test_files_that_no_record_uses_are_listed(tmp_path: Path) -> None:
    files = source(tmp_path, "1.jpg", "2.jpg", "labels.csv", "readme.txt")
    unused = unused_files(files, [Record("1.jpg", Split.TRAIN)], "labels.csv")
    assert unused == ("2.jpg", "readme.txt")
