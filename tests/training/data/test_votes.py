"""Votes: shares, majorities and ties, and Abstract, where they come in single quotes."""

from pathlib import Path

import pytest

from models.labels import MIKELS, LabelKind
from tests.training.data.layouts import Files, listed, text
from tests.training.data.miniatures import ABSTRACT_HEADER, abstract
from training.data.importers.votes import majority
from training.data.rows import BadRow

TRUTH = "testImages_abstract/ABSTRACT_groundTruth.csv"


def with_row(row: str, header: str = ABSTRACT_HEADER) -> Files:
    """The miniature with its second painting (line 3) replaced."""
    files = abstract()
    lines = files[TRUTH].decode().splitlines()
    return files | {TRUTH: text([header, lines[1], row, *lines[3:]])}


@pytest.mark.parametrize(
    ("votes", "winner"),
    [({"a": 1, "b": 2}, "b"), ({"a": 2, "b": 2, "c": 1}, None), ({"a": 1}, "a")],
)
def test_the_majority_is_one_label_or_none(votes: dict[str, int], winner: str | None) -> None:
    assert majority(votes) == winner


def test_abstract_has_shares_and_a_class_where_there_is_no_tie(tmp_path: Path) -> None:
    listing = listed("abstract", tmp_path, abstract())
    assert listing.label_sets == {LabelKind.SINGLE: MIKELS, LabelKind.DISTRIBUTION: MIKELS}
    assert [r.label for r in listing.records] == [
        "amusement",
        "sadness",
        "contentment",
        None,
        "amusement",
        "amusement",
    ]
    assert listing.records[0].shares == (0.625, 0.125, 0, 0, 0.25, 0, 0, 0)
    assert all(sum(r.shares or ()) == pytest.approx(1) for r in listing.records)
    assert "1 of 6 images have no majority, and so no single label" in listing.remarks
    assert listing.ignored == ()


def test_columns_of_abstract_are_told_by_their_names(tmp_path: Path) -> None:
    lines = abstract()[TRUTH].decode().splitlines()
    turned = text(",".join(reversed(line.split(","))) for line in lines)
    mixed = listed("abstract", tmp_path / "a", abstract() | {TRUTH: turned})
    assert mixed.records == listed("abstract", tmp_path / "b", abstract()).records


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("'abstract_0001.jpg',0,0,0,0,0,0,0,0", "given no vote; expected at least one"),
        ("'abstract_0001.jpg',0,0,1.5,0,0,0,0,0", "'1.5' for Awe; expected a whole number"),
        ("'abstract_0001.jpg',0,0,x,0,0,0,0,0", "'x' for Awe; expected a number"),
        ("'abstract_0001.jpg',0,0,-1,0,0,0,0,0", "'-1' for Awe; expected a number"),
        ("'abstract_0001.jpg',0,0", "given 3 cells; expected 9"),
        ("'abstract_0000.jpg',0,0,1,0,0,0,0,0", "given 'abstract_0000.jpg' again"),
        ("'',0,0,1,0,0,0,0,0", "given '' for image; expected text"),
    ],
)
def test_a_bad_row_of_abstract_is_an_error_with_its_line(
    tmp_path: Path, row: str, fact: str
) -> None:
    with pytest.raises(BadRow, match=rf"ABSTRACT_groundTruth\.csv, line 3: .*{fact}"):
        listed("abstract", tmp_path, with_row(row))


def test_a_column_that_abstract_lacks_is_named(tmp_path: Path) -> None:
    header = ABSTRACT_HEADER.replace("Awe", "Joy")
    with pytest.raises(BadRow, match=r"line 1: .*expected also Awe"):
        listed("abstract", tmp_path, with_row("'a.jpg',0,0,1,0,0,0,0,0", header))
