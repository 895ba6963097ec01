"""Emotion6: probabilities by the header's names, keywords as classes, folds as splits."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from models.labels import EMOTION6, LabelKind
from tests.training.data.layouts import (
    EMOTION6_HEADER,
    KEYWORDS,
    PACKINGS,
    SHARES,
    Files,
    emotion6,
    text,
    write_folder,
)
from training.data.canonical import Split
from training.data.importers.emotion6 import import_emotion6
from training.data.importers.listing import BadLayout, BadOption, ImportOptions, Listing
from training.data.rows import BadRow
from training.data.source import open_source

TRUTH, FOLDS = "Emotion6/ground_truth.txt", "Emotion6/folds.csv"


def listed(root: Path, files: Files, **options: object) -> Listing:
    source = open_source([write_folder(root, files)])
    return import_emotion6(source, ImportOptions.model_validate(options))


def with_row(row: str) -> Files:
    """The miniature with its third row (line 4) replaced."""
    files = emotion6()
    lines = files[TRUTH].decode().splitlines()
    return files | {TRUTH: text([*lines[:3], row, *lines[4:]])}


@pytest.mark.parametrize("packing", PACKINGS)
def test_emotion6_is_listed_from_every_packing(
    tmp_path: Path, packing: Callable[[Path, Files], list[Path]]
) -> None:
    listing = import_emotion6(open_source(packing(tmp_path, emotion6())), ImportOptions())
    assert listing.label_sets[LabelKind.DISTRIBUTION] == EMOTION6
    assert listing.label_sets[LabelKind.SINGLE].names == KEYWORDS
    assert len(listing.records) == 30
    assert listing.records[0].file_name == "images/anger/1.jpg"
    assert listing.records[0].label == "anger"
    assert listing.records[0].shares == (0.1, 0.2, 0.3, 0.05, 0.15, 0.0, 0.2)
    assert listing.ignored == ("readme.txt",)


def test_keywords_keep_the_polarity_of_their_emotion(tmp_path: Path) -> None:
    keywords = listed(tmp_path, emotion6()).label_sets[LabelKind.SINGLE]
    assert keywords.polarity is not None
    assert EMOTION6.polarity is not None
    assert keywords.polarity == EMOTION6.polarity[:6]


def test_columns_in_another_order_are_told_by_their_names(tmp_path: Path) -> None:
    files = emotion6()
    rows = [line.split("\t") for line in files[TRUTH].decode().splitlines()]
    mixed = {TRUTH: text("\t".join(reversed(row)) for row in rows)}
    assert listed(tmp_path / "a", files | mixed).records == listed(tmp_path / "b", files).records


def test_a_file_saved_on_windows_reads_the_same(tmp_path: Path) -> None:
    files = emotion6()
    windows = {
        name: b"\xef\xbb\xbf" + files[name].replace(b"\n", b"\r\n") for name in (TRUTH, FOLDS)
    }
    assert listed(tmp_path / "a", files | windows).records == listed(tmp_path / "b", files).records


@pytest.mark.parametrize("fold", range(5))
def test_the_fold_that_is_asked_for_is_test_and_val_comes_from_the_others(
    tmp_path: Path, fold: int
) -> None:
    listing = listed(tmp_path, emotion6(per_keyword=10), test_fold=fold)
    in_fold = {r.file_name for n, r in enumerate(listing.records) if n % 5 == fold}
    assert {r.file_name for r in listing.records if r.split is Split.TEST} == in_fold
    val = Counter(r.label for r in listing.records if r.split is Split.VAL)
    assert val == dict.fromkeys(KEYWORDS, 1)


def test_a_fold_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="given test_fold 7; expected one of 0, 1, 2, 3, 4"):
        listed(tmp_path, emotion6(), test_fold=7)


def test_a_file_without_a_fold_is_an_error(tmp_path: Path) -> None:
    files = emotion6()
    files[FOLDS] = files[FOLDS].replace(b"fear/2.jpg", b"fear/other.jpg")
    with pytest.raises(BadLayout, match=r"no fold for 1 of 30 images, first 'images/fear/2\.jpg'"):
        listed(tmp_path, files)


@pytest.mark.parametrize("fold", ["x", "1.5", ""])
def test_a_fold_that_is_no_whole_number_is_an_error(tmp_path: Path, fold: str) -> None:
    files = emotion6()
    files[FOLDS] = files[FOLDS].replace(b"anger/2.jpg,1", f"anger/2.jpg,{fold}".encode())
    with pytest.raises(BadRow, match=r"folds\.csv, line 3: given .*; expected a .*number"):
        listed(tmp_path, files)


@pytest.mark.parametrize("option", ["no folds.csv", "test_fold none"])
def test_the_splits_are_drawn_where_no_fold_says_them(tmp_path: Path, option: str) -> None:
    files = emotion6(per_keyword=10)
    if option == "no folds.csv":
        del files[FOLDS]
        listing = listed(tmp_path, files)
    else:
        listing = listed(tmp_path, files, test_fold=None)
    counts = Counter(r.split for r in listing.records)
    assert counts == {Split.TRAIN: 48, Split.VAL: 6, Split.TEST: 6}
    assert "were drawn" in listing.remarks[0]


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        (f"bored/1.jpg\t5\t3\t{SHARES}", r"given file 'bored/1\.jpg'; expected <keyword>"),
        (f"fear/../../1.jpg\t5\t3\t{SHARES}", "given file"),
        ("fear/1.jpg\t5\t3\t0.1\t0.2\t0.3", "given 6 cells; expected 10"),
        (f"fear/9.jpg\t5\t3\t{SHARES[:-3]}0.19", r"sum to 0\.99; expected a sum of 1"),
        (f"fear/9.jpg\t5\t3\t{SHARES[:-3]}much", r"'much' for \[prob\. neutral\]; expected a numb"),
        (f"fear/9.jpg\t5\t3\t-{SHARES}", "'-0.1' for"),
        (f"anger/1.jpg\t5\t3\t{SHARES}", "given 'anger/1.jpg' again; expected it once"),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path, row: str, fact: str) -> None:
    with pytest.raises(BadRow, match=rf"ground_truth\.txt, line 4: .*{fact}"):
        listed(tmp_path, with_row(row))


def test_probabilities_rounded_to_four_digits_still_sum_to_one(tmp_path: Path) -> None:
    thirds = "\t".join(["0.3333"] * 3 + ["0"] * 4)
    listing = listed(
        tmp_path, with_row(f"fear/9.jpg\t5\t3\t{thirds}") | {FOLDS: b""}, test_fold=None
    )
    assert listing.records[2].shares == (0.3333, 0.3333, 0.3333, 0.0, 0.0, 0.0, 0.0)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    header = EMOTION6_HEADER.replace("[prob. joy]", "[joy]").encode()
    files = emotion6()
    files[TRUTH] = files[TRUTH].replace(EMOTION6_HEADER.encode(), header)
    with pytest.raises(BadRow, match=r"ground_truth\.txt, line 1: .*expected also \[prob\. joy\]"):
        listed(tmp_path, files)


def test_a_missing_ground_truth_is_named(tmp_path: Path) -> None:
    files = emotion6()
    del files[TRUTH]
    with pytest.raises(BadLayout, match=r"has no ground_truth\.txt"):
        listed(tmp_path, files)


def test_the_order_of_labels_is_fixed(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="order is fixed"):
        listed(tmp_path, emotion6(), labels=["joy"])
