"""Flickr8k: captions with commas, several an image, and splits where they are written."""

from collections import Counter
from pathlib import Path

import pytest

from tests.training.data.layouts import Files, listed, text
from tests.training.data.miniatures import flickr8k
from training.data.canonical import Split
from training.data.importers.flickr8k import caption_rows
from training.data.importers.listing import BadLayout, BadOption
from training.data.rows import BadRow

CAPTIONS, SPLITS = "Flickr8k/captions.txt", "Flickr8k/splits.csv"


def with_line(file: str, line: str) -> Files:
    """The miniature with its second row (line 3) replaced."""
    files = flickr8k()
    lines = files[file].decode().splitlines()
    return files | {file: text([*lines[:2], line, *lines[3:]])}


def test_an_image_has_all_its_captions(tmp_path: Path) -> None:
    listing = listed("flickr8k", tmp_path, flickr8k())
    assert listing.label_sets == {}
    assert {r.captions for r in listing.records} == {
        ("A dog runs .", "A dog , brown , runs .", "Dogs , they run .")
    }
    assert listing.records[0].file_name == "images/0_b08cb0e.jpg"
    assert listing.ignored == ()


def test_splits_are_the_written_ones(tmp_path: Path) -> None:
    listing = listed("flickr8k", tmp_path, flickr8k())
    assert [r.split for r in listing.records] == [*[Split.TRAIN] * 4, Split.VAL, Split.TEST]
    assert listing.remarks == ()


def test_splits_are_drawn_where_none_are_written(tmp_path: Path) -> None:
    files = flickr8k()
    del files[SPLITS]
    listing = listed("flickr8k", tmp_path, files)
    assert Counter(r.split for r in listing.records) == {
        Split.TRAIN: 4,
        Split.VAL: 1,
        Split.TEST: 1,
    }
    assert "the layout has no splits" in listing.remarks[0]


@pytest.mark.parametrize(
    ("cell", "caption"),
    [
        ("A dog .", "A dog ."),
        ("A dog , running .", "A dog , running ."),
        ('"A dog , running ."', "A dog , running ."),
        ('"A ""big"" dog , he said ."', 'A "big" dog , he said .'),
        ('"Big" is the word for "dog"', '"Big" is the word for "dog"'),
        ('A dog named "Rex"', 'A dog named "Rex"'),
        (' "A dog" ', "A dog"),
    ],
)
def test_a_caption_is_what_follows_the_first_comma(cell: str, caption: str) -> None:
    content = f"image,caption\r\n1.jpg,{cell}\r\n".encode()
    assert caption_rows(content, file="captions.txt")[0].text("caption") == caption


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("0_b08cb0e.jpg,", "given '' for caption; expected text"),
        ("0_b08cb0e.jpg", "given '' for caption; expected text"),
        (",A dog .", "given '' for image; expected text"),
        ("9.jpg,A dog .", r"given image '9\.jpg'; expected one that splits\.csv gives a split"),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path, line: str, fact: str) -> None:
    with pytest.raises(BadRow, match=rf"captions\.txt, line 3: {fact}"):
        listed("flickr8k", tmp_path, with_line(CAPTIONS, line))


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("1_b08cb0e.jpg,dev", "given split 'dev'; expected one of train, val, test"),
        ("0_b08cb0e.jpg,test", "given '0_b08cb0e.jpg' again"),
        ("1_b08cb0e.jpg", "given 1 cells; expected 2"),
    ],
)
def test_a_bad_split_is_an_error_with_its_line(tmp_path: Path, line: str, fact: str) -> None:
    with pytest.raises(BadRow, match=rf"splits\.csv, line 3: {fact}"):
        listed("flickr8k", tmp_path, with_line(SPLITS, line))


def test_another_header_is_an_error(tmp_path: Path) -> None:
    files = flickr8k() | {CAPTIONS: b"file,text\n1.jpg,A dog\n"}
    with pytest.raises(
        BadRow, match=r"captions\.txt, line 1: given header 'file,text'; expected im"
    ):
        listed("flickr8k", tmp_path, files)


def test_missing_captions_are_an_error(tmp_path: Path) -> None:
    files = flickr8k()
    del files[CAPTIONS]
    with pytest.raises(BadLayout, match=r"has no captions\.txt"):
        listed("flickr8k", tmp_path, files)


def test_captions_have_no_order_of_labels(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="which has none"):
        listed("flickr8k", tmp_path, flickr8k(), labels=["dog"])
