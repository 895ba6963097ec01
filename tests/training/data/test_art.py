"""Paintings: WikiArt Emotions in both forms, and ArtEmis with names that differ in accents."""

from collections import Counter
from pathlib import Path

import pytest

from models.labels import LabelKind, Polarity
from tests.training.data.layouts import Files, listed, pictures, text
from tests.training.data.miniatures import (
    ARTEMIS_HEADER,
    WIKIART_NAMES,
    artemis,
    wikiart_emotions,
    wikiart_emotions_published,
)
from training.data.canonical import Split
from training.data.importers.artemis import ascii_alone, without_accents
from training.data.importers.listing import BadLayout, BadOption
from training.data.rows import BadRow

LABELS = "WikiArtEmotions/labels.csv"
TABLE = "artemis_dataset_release_v0.csv"
FIRST = ",".join(["0"] * 20)


def with_labels(line: str) -> Files:
    """WikiArt Emotions with its second row (line 3) replaced."""
    files = wikiart_emotions()
    lines = files[LABELS].decode().splitlines()
    return files | {LABELS: text([*lines[:2], line, *lines[3:]])}


def with_row(row: str) -> Files:
    """ArtEmis with its second row (line 3) replaced."""
    files = artemis()
    lines = files[TABLE].decode().splitlines()
    return files | {TABLE: text([*lines[:2], row, *lines[3:]])}


def test_wikiart_emotions_keeps_shares_as_they_are_published(tmp_path: Path) -> None:
    listing = listed("wikiart_emotions", tmp_path, wikiart_emotions())
    labels = listing.label_sets[LabelKind.DISTRIBUTION]
    assert labels.names == tuple(WIKIART_NAMES)
    assert labels.polarity is not None
    assert Counter(labels.polarity) == {
        Polarity.POSITIVE: 6,
        Polarity.NEGATIVE: 8,
        Polarity.NEUTRAL: 6,
    }
    assert {r.shares for r in listing.records} == {(0.25, *[0.0] * 18, 0.5)}
    assert listing.ignored == ()


@pytest.mark.parametrize("fold", range(5))
def test_the_fold_that_is_asked_for_is_test(tmp_path: Path, fold: int) -> None:
    listing = listed("wikiart_emotions", tmp_path, wikiart_emotions(), test_fold=fold)
    in_test = [n for n, r in enumerate(listing.records) if r.split is Split.TEST]
    assert in_test == [fold, fold + 5]
    assert listing.remarks == (f"fold {fold} is test, val was drawn from the others",)


def test_a_fold_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="given test_fold 5; expected one of 0, 1, 2, 3, 4"):
        listed("wikiart_emotions", tmp_path, wikiart_emotions(), test_fold=5)


def test_the_published_table_says_the_same_of_the_image_alone(tmp_path: Path) -> None:
    listing = listed("wikiart_emotions", tmp_path, wikiart_emotions_published())
    assert {r.shares for r in listing.records} == {(0.25, *[0.0] * 18, 0.5)}
    assert listing.records[3].file_name == f"paintings/{3:024x}.jpg"
    assert Counter(r.split for r in listing.records)[Split.TEST] == 1
    assert "the layout has no splits" in listing.remarks[0]


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        (f"x.jpg,1,,{FIRST}", "given shares that are all 0"),
        (f"x.jpg,1,,1.5{FIRST[1:]}", "given '1.5' for agreeableness; expected a share up to 1"),
        (f"x.jpg,1,,much{FIRST[1:]}", "given 'much' for agreeableness; expected a number"),
        (f"x.jpg,1.5,,1{FIRST[1:]}", "given '1.5' for fold; expected a whole number"),
        ("x.jpg,1,,1", "given 4 cells; expected 23"),
        (f"{0:024x}.jpg,1,,1{FIRST[1:]}", "given '0{24}.jpg' again"),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path, line: str, fact: str) -> None:
    with pytest.raises(BadRow, match=rf"labels\.csv, line 3: {fact}"):
        listed("wikiart_emotions", tmp_path, with_labels(line))


def test_a_row_without_a_fold_is_an_error_where_others_have_one(tmp_path: Path) -> None:
    files = with_labels(f"{1:024x}.jpg,,,1{FIRST[1:]}")
    with pytest.raises(BadLayout, match="there is no fold for 1 of 10 images"):
        listed("wikiart_emotions", tmp_path, files)


def test_paintings_without_a_table_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match=r"has no labels\.csv or WikiArt-Emotions-All\.tsv"):
        listed("wikiart_emotions", tmp_path, pictures(["a.jpg"]))


def test_artemis_has_votes_and_captions_of_a_painting(tmp_path: Path) -> None:
    listing = listed("artemis", tmp_path, artemis())
    assert set(listing.label_sets) == {LabelKind.SINGLE, LabelKind.DISTRIBUTION}
    labels = listing.label_sets[LabelKind.DISTRIBUTION]
    assert labels.names[-1] == "something else"
    first = listing.records[0]
    assert first.file_name == "wikiart/Baroque/a-man.st.-john(1).jpg"
    assert first.captions == ("The light, it glows.", "So calm.", "It makes me think.")
    assert first.label == "awe"
    assert first.shares == (0, 2 / 3, 0, 0, 0, 0, 0, 0, 1 / 3)
    assert listing.ignored == ()


def test_a_painting_is_found_though_its_accents_are_gone(tmp_path: Path) -> None:
    files = {r.file_name for r in listed("artemis", tmp_path, artemis()).records}
    assert "wikiart/Cubism/andre-l'hote_port.jpg" in files


@pytest.mark.parametrize(
    "on_disk",
    [
        "andré-l'hôte_port",
        "andre\u0301-l'ho\u0302te_port",
        "andr\u00c3\u00a9-l'h\u00c3\u00b4te_port",
        "andr-l'hte_port",
    ],
    ids=["the same", "taken apart", "garbled", "dropped"],
)
def test_names_are_compared_by_what_an_archive_leaves_of_them(tmp_path: Path, on_disk: str) -> None:
    files = artemis()
    content = files.pop("wikiart/Cubism/andre-l'hote_port.jpg")
    files[f"wikiart/Cubism/{on_disk}.jpg"] = content
    found = {r.file_name for r in listed("artemis", tmp_path, files).records}
    assert f"wikiart/Cubism/{on_disk}.jpg" in found


def test_the_closest_spelling_wins(tmp_path: Path) -> None:
    files = artemis() | pictures(["wikiart/Cubism/andré-l'hôte_port.jpg"])
    found = {r.file_name for r in listed("artemis", tmp_path, files).records}
    assert "wikiart/Cubism/andré-l'hôte_port.jpg" in found
    assert "wikiart/Cubism/andre-l'hote_port.jpg" not in found


def test_names_without_any_plain_letter_are_not_mistaken_for_each_other(tmp_path: Path) -> None:
    files = artemis() | pictures(["wikiart/Cubism/дом.jpg"])
    files[TABLE] += "Cubism,лес,fear,Dark.,1\n".encode()
    found = {r.file_name for r in listed("artemis", tmp_path, files).records}
    assert "wikiart/Cubism/лес.jpg" in found
    assert "wikiart/Cubism/дом.jpg" not in found


def test_keys_of_names_can_be_worked_out_by_hand() -> None:
    assert without_accents("Andre\u0301/Hôte") == without_accents("André/hote") == "andre/hote"
    garbled = "Andr\u00c3\u00a9/h\u00c3\u00b4te"
    assert ascii_alone("Andre\u0301/Hôte") == ascii_alone(garbled) == "andr/hte"


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("Baroque,a,joy,Nice.,1", "given emotion 'joy'; expected one of amusement, awe"),
        ("Baroque,a,awe,,1", "given '' for utterance; expected text"),
        ("Baroque,,awe,Nice.,1", "given '' for painting; expected text"),
        ("Baroque,a,awe", "given 3 cells; expected 5"),
    ],
)
def test_a_bad_row_of_artemis_is_an_error_with_its_line(
    tmp_path: Path, row: str, fact: str
) -> None:
    with pytest.raises(BadRow, match=rf"release_v0\.csv, line 3: {fact}"):
        listed("artemis", tmp_path, with_row(row))


def test_a_column_that_artemis_lacks_is_named(tmp_path: Path) -> None:
    files = artemis()
    header = ARTEMIS_HEADER.replace("utterance", "said").encode()
    files[TABLE] = files[TABLE].replace(ARTEMIS_HEADER.encode(), header)
    with pytest.raises(BadRow, match=r"line 1: .*expected also utterance"):
        listed("artemis", tmp_path, files)
