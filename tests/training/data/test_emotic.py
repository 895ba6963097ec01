"""EMOTIC: people become whole images, and both forms of the annotations say the same."""

from pathlib import Path

import pytest

from models.labels import LabelKind
from tests.training.data.layouts import Files, listed, pictures
from tests.training.data.miniatures import EMOTIC_HEADER, emotic, emotic_matlab
from training.data.canonical import Split
from training.data.importers.listing import BadLayout, BadOption
from training.data.rows import BadRow

TRAIN = "emotic_pre/train.csv"


def with_row(row: str) -> Files:
    """The miniature with its second person (line 3) replaced."""
    files = emotic()
    lines = files[TRAIN].decode().splitlines()
    return files | {TRAIN: "\n".join([*lines[:2], row, *lines[3:]]).encode()}


def test_an_image_has_the_categories_of_all_its_people(tmp_path: Path) -> None:
    listing = listed("emotic", tmp_path, emotic())
    assert {(r.file_name, r.labels) for r in listing.records} == {
        ("emotic/mscoco/images/a.jpg", ("Affection", "Doubt/Confusion", "Peace")),
        ("emotic/ade20k/images/a.jpg", ("Anger",)),
        ("emotic/framesdb/images/b.jpg", ("Fear",)),
        ("emotic/emodb_small/images/c.jpg", ("Yearning",)),
    }
    assert "5 people in 4 images: an image has the labels of all of them" in listing.remarks
    assert listing.ignored == ()


def test_the_26_categories_are_in_their_written_order(tmp_path: Path) -> None:
    names = listed("emotic", tmp_path, emotic()).label_sets[LabelKind.MULTI].names
    assert len(names) == 26
    assert names == tuple(sorted(names))
    assert names[9] == "Doubt/Confusion"


def test_splits_are_the_published_ones(tmp_path: Path) -> None:
    splits = {r.file_name: r.split for r in listed("emotic", tmp_path, emotic()).records}
    assert splits["emotic/framesdb/images/b.jpg"] is Split.VAL
    assert splits["emotic/emodb_small/images/c.jpg"] is Split.TEST


def test_matlab_says_the_same_as_the_tables(tmp_path: Path) -> None:
    matlab = listed("emotic", tmp_path / "a", emotic_matlab())
    tables = listed("emotic", tmp_path / "b", emotic())
    assert matlab.records == tables.records
    assert matlab.label_sets == tables.label_sets
    assert matlab.ignored == ()


def test_an_image_with_people_in_two_splits_is_held_out_and_it_is_said(tmp_path: Path) -> None:
    files = emotic()
    row = "3,mscoco/images,a.jpg,x,x,['Fear'],x,Male,Adult\n"
    files["emotic_pre/test.csv"] += row.encode()
    listing = listed("emotic", tmp_path, files)
    both = next(r for r in listing.records if r.file_name == "emotic/mscoco/images/a.jpg")
    assert both.split is Split.TEST
    assert both.labels == ("Affection", "Doubt/Confusion", "Fear", "Peace")
    assert any(remark.startswith("1 images with people in several") for remark in listing.remarks)


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("1,mscoco/images,a.jpg,x,x,['Joy'],x,M,Kid", "given \"\\['Joy'\\]\" for Categorical_Lab"),
        ("1,mscoco/images,a.jpg,x,x,Peace,x,M,Kid", "given 'Peace' for Categorical_Labels"),
        ("1,mscoco/images,a.jpg,x,x,[1],x,M,Kid", "given '\\[1\\]' for Categorical_Labels"),
        ("1,mscoco/images,a.jpg,x,x,[print(1)],x,M,Kid", "for Categorical_Labels; expected a list"),
        ("1,mscoco/images,a.jpg", "given 3 cells; expected 9"),
        ("1,,a.jpg,x,x,['Peace'],x,M,Kid", "given '' for Folder; expected text"),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path, row: str, fact: str) -> None:
    with pytest.raises(BadRow, match=rf"emotic_pre/train\.csv, line 3: {fact}|line 3: .*{fact}"):
        listed("emotic", tmp_path, with_row(row))


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    files = emotic()
    header = EMOTIC_HEADER.replace("Categorical_Labels", "Labels").encode()
    files[TRAIN] = files[TRAIN].replace(EMOTIC_HEADER.encode(), header)
    with pytest.raises(BadRow, match=r"line 1: .*expected also Categorical_Labels"):
        listed("emotic", tmp_path, files)


def test_a_bad_category_in_matlab_is_an_error_with_its_image(tmp_path: Path) -> None:
    with pytest.raises(BadRow, match=r"Annotations\.mat, train, image 1: given \['Peace', 'Joy'\]"):
        listed("emotic", tmp_path, emotic_matlab("Peace", "Joy"))


def test_one_category_alone_is_read_from_matlab(tmp_path: Path) -> None:
    labels = {r.labels for r in listed("emotic", tmp_path, emotic_matlab("Pain")).records}
    assert ("Doubt/Confusion", "Pain", "Peace") in labels


def test_a_file_that_is_no_matlab_file_is_named(tmp_path: Path) -> None:
    files = emotic_matlab() | {"Annotations/Annotations.mat": b"nothing of the kind" * 20}
    with pytest.raises(BadLayout, match=r"Annotations\.mat is not a classic MATLAB file"):
        listed("emotic", tmp_path, files)


def test_images_alone_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match=r"has neither Annotations\.mat nor train\.csv"):
        listed("emotic", tmp_path, pictures(["emotic/mscoco/images/a.jpg"]))


def test_an_order_of_ones_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="whose order is fixed"):
        listed("emotic", tmp_path, emotic(), labels=["Peace"])
