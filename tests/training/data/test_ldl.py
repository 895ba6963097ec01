"""Flickr_LDL and Twitter_LDL: headers are trusted, and nothing is guessed where there is none."""

from pathlib import Path

import pytest

from models.labels import MIKELS, LabelKind
from tests.training.data.layouts import listed, pictures, text
from tests.training.data.miniatures import LDL_HEADER, LDL_ORDER, ldl, ldl_matlab
from training.data.canonical import Split
from training.data.importers.listing import BadLayout, BadOption
from training.data.rows import BadRow

SHARES = (1 / 11, 2 / 11, 0, 0, 0, 0, 0, 8 / 11)
"""Of one vote for amusement, two for anger and eight for sadness, in the order of MIKELS."""


def test_votes_become_shares_in_the_order_of_mikels(tmp_path: Path) -> None:
    listing = listed("ldl", tmp_path, ldl())
    assert MIKELS.names != LDL_ORDER
    assert listing.label_sets == {LabelKind.SINGLE: MIKELS, LabelKind.DISTRIBUTION: MIKELS}
    assert {(r.shares, r.label) for r in listing.records} == {(SHARES, "sadness")}
    assert listing.ignored == ()


def test_another_order_in_the_header_gives_the_same_shares(tmp_path: Path) -> None:
    header = "images-name Sadness Fear Disgust Anger Excitement Contentment Awe Amusement"
    rows = [f"{n}.jpg 8 0 0 2 0 0 0 1" for n in range(1, 6)]
    turned = listed("ldl", tmp_path / "a", ldl(rows, header))
    assert turned.records == listed("ldl", tmp_path / "b", ldl()).records


def without_header() -> dict[str, bytes]:
    files = ldl()
    lines = files["Flickr_LDL/ground_truth.txt"].decode().splitlines()
    return files | {"Flickr_LDL/ground_truth.txt": text(lines[1:])}


def test_a_text_without_a_header_needs_the_order(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="three orders circulate"):
        listed("ldl", tmp_path, without_header())
    listing = listed("ldl", tmp_path, without_header(), labels=LDL_ORDER)
    assert {r.shares for r in listing.records} == {SHARES}
    assert len(listing.records) == 5


@pytest.mark.parametrize("labels", [LDL_ORDER[:-1], (*LDL_ORDER[:-1], "joy")])
def test_an_order_of_other_labels_is_refused(tmp_path: Path, labels: tuple[str, ...]) -> None:
    with pytest.raises(BadOption, match="expected labels in the order of the columns"):
        listed("ldl", tmp_path, without_header(), labels=labels)


def test_an_order_that_contradicts_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"the header of ground_truth\.txt names them"):
        listed("ldl", tmp_path, ldl(), labels=MIKELS.names)
    assert len(listed("ldl", tmp_path, ldl(), labels=LDL_ORDER).records) == 5


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("2.jpg 1 0 0 0 2 0 0", "given 8 cells; expected 9"),
        ("2.jpg 1 0 0 0 2 0 0 x", "'x' for sadness; expected a number"),
        ("2.jpg 1 0 0 0 2 0 0 0.5", "'0.5' for sadness; expected a whole number"),
        ("2.jpg 0 0 0 0 0 0 0 0", "given no vote"),
        ("1.jpg 1 0 0 0 2 0 0 8", "given '1.jpg' again"),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path, row: str, fact: str) -> None:
    files = ldl(["1.jpg 1 0 0 0 2 0 0 8", row])
    with pytest.raises(BadRow, match=rf"ground_truth\.txt, line 3: .*{fact}"):
        listed("ldl", tmp_path, files)


@pytest.mark.parametrize("name", ["Joy", "Awe"])
def test_a_header_that_does_not_name_the_eight_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRow, match=r"line 1: .*expected a column for each of amusement, anger"):
        listed("ldl", tmp_path, ldl(header=LDL_HEADER.replace("Fear", name)))


def test_matlab_says_the_same_and_its_own_splits(tmp_path: Path) -> None:
    listing = listed("ldl", tmp_path, ldl_matlab(), labels=LDL_ORDER, val_fraction=0)
    assert {r.shares for r in listing.records} == {SHARES}
    in_test = {r.file_name for r in listing.records if r.split is Split.TEST}
    assert in_test == {"images/3.jpg", "images/5.jpg"}
    assert listing.ignored == ()


def test_matlab_may_choose_by_mask(tmp_path: Path) -> None:
    masks = {"train_ind": [[1, 1, 0, 1, 0]], "test_ind": [[0, 0, 1, 0, 1]]}
    by_mask = listed("ldl", tmp_path / "a", ldl_matlab(**masks), labels=LDL_ORDER)
    by_number = listed("ldl", tmp_path / "b", ldl_matlab(), labels=LDL_ORDER)
    assert by_mask.records == by_number.records


def test_matlab_without_an_order_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"config\.mat does not name its columns"):
        listed("ldl", tmp_path, ldl_matlab())


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"vote": [[1] * 8] * 4}, "vote has 4 x 8 numbers for 5 names; expected 5 x 8"),
        ({"vote": [[1] * 5] * 8}, "vote has 8 x 5 numbers for 5 names"),
        ({"test_ind": [[3], [4]]}, "choose 3 as train, 2 as test of 5; expected each image"),
        ({"test_ind": [[3], [6]]}, "expected each image in exactly one"),
        ({"test_ind": [[3]]}, "expected each image in exactly one"),
    ],
)
def test_matlab_arrays_that_do_not_fit_are_an_error(
    tmp_path: Path, change: dict[str, object], fact: str
) -> None:
    with pytest.raises(BadLayout, match=fact):
        listed("ldl", tmp_path, ldl_matlab(**change), labels=LDL_ORDER)


def test_a_bad_entry_of_matlab_is_an_error_with_its_number(tmp_path: Path) -> None:
    votes = [[1] * 8, [0] * 8, *[[1] * 8] * 3]
    with pytest.raises(BadRow, match=r"config\.mat, entry 2: given no vote"):
        listed("ldl", tmp_path, ldl_matlab(vote=votes), labels=LDL_ORDER)


def test_a_file_that_is_not_of_version_7_3_says_what_to_do(tmp_path: Path) -> None:
    files = ldl_matlab() | {"config.mat": b"MATLAB 5.0 MAT-file"}
    with pytest.raises(BadLayout, match=r"not a MATLAB file of version 7\.3: .*-v7\.3"):
        listed("ldl", tmp_path, files, labels=LDL_ORDER)


def test_images_without_any_votes_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match=r"has no ground_truth\.txt and 0 \.mat files"):
        listed("ldl", tmp_path, pictures(["images/1.jpg"]))
