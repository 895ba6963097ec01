"""Places365, MiniPlaces and EmoSet: lists of images whose classes are told by number or name."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from models.labels import MIKELS, LabelKind
from tests.training.data.layouts import Files, listed, pictures, text
from tests.training.data.miniatures import emoset, miniplaces, places365
from training.data.canonical import Split
from training.data.importers.listing import BadLayout, BadOption
from training.data.rows import BadRow

CATEGORIES, TRAIN = "MiniPlaces/categories.txt", "MiniPlaces/train.txt"


def with_lines(file: str, lines: Iterable[str]) -> Files:
    """MiniPlaces with one of its files replaced."""
    return miniplaces() | {file: text(lines)}


def test_miniplaces_has_its_scenes_and_splits(tmp_path: Path) -> None:
    listing = listed("miniplaces", tmp_path, miniplaces())
    assert listing.label_sets[LabelKind.SINGLE].names == ("abbey", "subway_station/platform")
    assert Counter((r.split, r.label) for r in listing.records) == {
        (Split.TRAIN, "abbey"): 3,
        (Split.TRAIN, "subway_station/platform"): 3,
        (Split.VAL, "abbey"): 1,
        (Split.VAL, "subway_station/platform"): 1,
    }
    assert listing.records[0].file_name == "images/train/a/abbey/00000000.jpg"
    assert (listing.ignored, listing.remarks) == ((), ())


def test_places365_finds_train_images_by_class_and_val_images_by_name(tmp_path: Path) -> None:
    listing = listed("places365", tmp_path, places365())
    assert listing.label_sets[LabelKind.SINGLE].names == ("airfield", "bar")
    labels = {r.file_name: r.label for r in listing.records}
    assert labels["data_256/b/bar/00000001.jpg"] == "bar"
    assert labels["val_256/Places365_val_00000000.jpg"] == "airfield"
    assert labels["val_256/Places365_val_00000001.jpg"] == "bar"
    assert listing.ignored == ()


def test_two_sizes_of_an_image_are_an_error_that_names_both(tmp_path: Path) -> None:
    files = places365() | pictures(["places/data_large/a/airfield/00000000.jpg"])
    with pytest.raises(
        BadRow, match=r"line 1: .*may be data_256/a/.*, data_large/a/.*expected one"
    ):
        listed("places365", tmp_path, files)


def test_classes_are_ordered_by_their_numbers_not_by_their_lines(tmp_path: Path) -> None:
    files = with_lines(CATEGORIES, ["/s/subway_station/platform 1", "/a/abbey 0"])
    mixed = listed("miniplaces", tmp_path / "a", files)
    straight = listed("miniplaces", tmp_path / "b", miniplaces())
    assert (mixed.label_sets, mixed.records) == (straight.label_sets, straight.records)


@pytest.mark.parametrize(
    ("lines", "fact"),
    [
        (["/a/abbey 0", "/b/bar 0"], "line 2: given '0' again; expected it once"),
        (["/a/abbey 0", "/b/bar 2"], "line 2: given 2 classes without number 1; expected numbers"),
        (["/a/abbey 0", "/a/abbey 1"], "line 2: given '/a/abbey' again"),
        (["/a/abbey 0", "bar 1"], "line 2: given class 'bar'; expected a path such as /a/airf"),
        (["/a/abbey 0", "/b/abbey 1"], "line 2: given class '/b/abbey'; expected a path"),
        (["/a/abbey 0", "/b/bar one"], "line 2: given 'one' for label; expected a number"),
        (["/a/abbey 0", "/b/bar"], "line 2: given 1 cells; expected 2: image, label"),
        ([], "line 0: given 0 classes"),
    ],
)
def test_a_bad_list_of_classes_is_an_error_with_its_line(
    tmp_path: Path, lines: list[str], fact: str
) -> None:
    with pytest.raises(BadRow, match=rf"categories\.txt, {fact}"):
        listed("miniplaces", tmp_path, with_lines(CATEGORIES, lines))


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("train/a/abbey/00000001.jpg 2", "given class 2; expected a number below 2"),
        ("train/a/abbey/00000001.jpg -1", "given '-1' for label; expected a number"),
        ("train/a/abbey/00000001.jpg 0.5", "given '0.5' for label; expected a whole number"),
        ("train/a/abbey/00000001.jpg", "given 1 cells; expected 2"),
        ("train/a/abbey/0 0000001.jpg 0", "given 3 cells; expected 2"),
        ("train/a/abbey/00000000.jpg 1", "given 'train/a/abbey/00000000.jpg' again"),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path, row: str, fact: str) -> None:
    files = with_lines(TRAIN, ["train/a/abbey/00000000.jpg 0", row])
    with pytest.raises(BadRow, match=rf"train\.txt, line 2: {fact}"):
        listed("miniplaces", tmp_path, files)


@pytest.mark.parametrize("file", [CATEGORIES, TRAIN])
def test_a_list_that_is_missing_is_named(tmp_path: Path, file: str) -> None:
    files = miniplaces()
    del files[file]
    with pytest.raises(BadLayout, match=f"has no {Path(file).name}; expected one"):
        listed("miniplaces", tmp_path, files)


def test_val_is_drawn_where_its_list_is_missing(tmp_path: Path) -> None:
    files = miniplaces()
    del files["MiniPlaces/val.txt"]
    listing = listed("miniplaces", tmp_path, files)
    assert Counter(r.split for r in listing.records) == {Split.TRAIN: 4, Split.VAL: 2}
    assert "val was drawn from train: the layout has none" in listing.remarks


def test_the_order_of_scenes_is_fixed(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="whose order is fixed: abbey, subway"):
        listed("miniplaces", tmp_path, miniplaces(), labels=["subway_station/platform", "abbey"])


def test_emoset_has_mikels_eight_whatever_a_row_has_besides(tmp_path: Path) -> None:
    listing = listed("emoset", tmp_path, emoset())
    assert listing.label_sets == {LabelKind.SINGLE: MIKELS}
    assert Counter((r.split, r.label) for r in listing.records) == {
        (split, label): 2 for split in Split for label in MIKELS.names[:3]
    }
    assert listing.records[0].file_name == "image/amusement/amusement_train0.jpg"
    assert listing.ignored == ("info.json",)


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        (["joy", "image/a.jpg", "x"], "row 2: given label 'joy'; expected one of amusement"),
        (["awe", "image/a.jpg"], r"row 2: given .*; expected \[label, image, annotation\]"),
        ({"label": "awe"}, r"row 2: given .*; expected \[label, image, annotation\]"),
        (["awe", 3, "x"], "row 2: given 3 for image; expected text"),
        ([0, "image/a.jpg", "x"], "row 2: given 0 for label; expected text"),
        (["awe", "image/1.jpg", "x"], "row 2: given 'image/1.jpg' again"),
    ],
)
def test_a_bad_row_of_emoset_is_an_error_with_its_number(
    tmp_path: Path, row: object, fact: str
) -> None:
    files = emoset() | {
        "EmoSet/train.json": json.dumps([["awe", "image/1.jpg", "x"], row]).encode()
    }
    with pytest.raises(BadRow, match=rf"train\.json, {fact}"):
        listed("emoset", tmp_path, files)


@pytest.mark.parametrize(
    ("content", "fact"), [(b'[["awe"],\n[', "line 2"), (b'{"awe": 1}', "line 1: given dict")]
)
def test_json_that_is_no_list_of_rows_is_an_error_with_its_line(
    tmp_path: Path, content: bytes, fact: str
) -> None:
    with pytest.raises(BadRow, match=rf"train\.json, {fact}.*expected a JSON array"):
        listed("emoset", tmp_path, emoset() | {"EmoSet/train.json": content})


def test_emoset_without_its_list_of_train_is_an_error(tmp_path: Path) -> None:
    files = emoset()
    del files["EmoSet/train.json"]
    with pytest.raises(BadLayout, match=r"has no train\.json"):
        listed("emoset", tmp_path, files)
