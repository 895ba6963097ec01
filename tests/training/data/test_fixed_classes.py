"""Sets whose folders or file names say the class: EmotionROI, WEBEmo, Twitter, ArtPhoto."""

from pathlib import Path

import pytest

from models.labels import EMOTION6, MIKELS, LabelKind, Polarity
from tests.training.data.layouts import KEYWORDS, listed, pictures
from tests.training.data.miniatures import MINIATURES, artphoto, class_folders
from training.data.canonical import Split
from training.data.importers.listing import BadLayout, BadOption

WEBEMO = MINIATURES["webemo"]
SIDES = ("negative", "positive")


def folds(*names: str) -> dict[str, bytes]:
    """Twitter I's folds, each with images of its own in test."""
    return pictures(
        f"TwitterI/{fold}/{split}/{side}/{n}{fold if split == 'test' else ''}.jpg"
        for fold in names
        for split in ("train", "test")
        for side in SIDES
        for n in range(4)
    )


def test_emotionroi_has_the_six_keywords_in_their_order(tmp_path: Path) -> None:
    listing = listed("emotionroi", tmp_path, MINIATURES["emotionroi"])
    labels = listing.label_sets[LabelKind.SINGLE]
    assert labels.names == KEYWORDS
    assert EMOTION6.polarity is not None
    assert labels.polarity == EMOTION6.polarity[:6]
    assert listing.remarks == ("val was drawn from train: the layout has none",)


def test_numbered_folders_are_the_names_of_webemo_and_keep_their_misspellings(
    tmp_path: Path,
) -> None:
    listing = listed("webemo", tmp_path, WEBEMO)
    names = listing.label_sets[LabelKind.SINGLE].names
    assert len(names) == 25
    assert names == tuple(sorted(names))
    assert (names[1], names[11]) == ("cheerfullness", "irritabilty")
    assert {r.label for r in listing.records if "/10/" in r.file_name} == {"horror"}
    assert {r.label for r in listing.records if "/2/" in r.file_name} == {"confusion"}


def test_folders_of_webemo_may_have_the_names_themselves(tmp_path: Path) -> None:
    files = class_folders(("zest", "affection"), top="WEBEmo", splits=("train", "test"))
    listing = listed("webemo", tmp_path, files)
    assert len(listing.label_sets[LabelKind.SINGLE]) == 25
    assert {r.label for r in listing.records} == {"zest", "affection"}


@pytest.mark.parametrize("format", ["fi", "emotionroi", "webemo", "twitter", "artphoto"])
def test_an_order_of_ones_own_is_refused(tmp_path: Path, format: str) -> None:
    with pytest.raises(BadOption, match="whose order is fixed"):
        listed(format, tmp_path, MINIATURES[format], labels=["b", "a"])


@pytest.mark.parametrize(("format", "folder"), [("webemo", "25"), ("emotionroi", "neutral")])
def test_a_folder_of_no_class_is_named(tmp_path: Path, format: str, folder: str) -> None:
    files = MINIATURES[format] | pictures([f"train/{folder}/1.jpg"])
    root = "W" if format == "webemo" else "EmotionROI"
    files = {n if n.startswith(root) else f"{root}/{n}": content for n, content in files.items()}
    with pytest.raises(BadLayout, match=f"unexpected class folders {folder}; expected a"):
        listed(format, tmp_path, files)


def test_twitter_is_negative_or_positive(tmp_path: Path) -> None:
    listing = listed("twitter", tmp_path, MINIATURES["twitter"])
    labels = listing.label_sets[LabelKind.SINGLE]
    assert labels.names == labels.polarity == (Polarity.NEGATIVE, Polarity.POSITIVE)


@pytest.mark.parametrize(("fold", "folder"), [(0, "fold_2"), (1, "fold_9"), (2, "fold_10")])
def test_folds_of_twitter_are_counted_in_the_order_of_their_numbers(
    tmp_path: Path, fold: int, folder: str
) -> None:
    files = folds("fold_10", "fold_2", "fold_9")
    listing = listed("twitter", tmp_path, files, test_fold=fold)
    assert len(listing.records) == 16
    assert all(r.file_name.startswith(f"{folder}/") for r in listing.records)
    assert sum(r.split is Split.TEST for r in listing.records) == 8
    assert listing.remarks[0] == f"fold {fold} is the folder {folder}"
    assert len(listing.ignored) == 32


def test_a_fold_that_twitter_lacks_is_an_error_that_names_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="given test_fold 2; expected one of 0, 1"):
        listed("twitter", tmp_path, folds("1", "2"), test_fold=2)


def test_folds_of_twitter_share_images_so_that_one_has_to_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="given no test_fold"):
        listed("twitter", tmp_path, folds("1", "2"), test_fold=None)


@pytest.mark.parametrize("names", [("a1", "b1"), ("a", "b")])
def test_folds_without_a_number_of_their_own_are_an_error(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    with pytest.raises(BadLayout, match="expected folds, each with its own number"):
        listed("twitter", tmp_path, folds(*names))


def test_artphoto_says_sad_for_sadness(tmp_path: Path) -> None:
    listing = listed("artphoto", tmp_path, artphoto())
    assert listing.label_sets == {LabelKind.SINGLE: MIKELS}
    assert {r.label for r in listing.records if "sad_" in r.file_name} == {"sadness"}
    assert {r.label for r in listing.records} == set(MIKELS.names)
    assert "no splits" in listing.remarks[0]


@pytest.mark.parametrize("name", ["joy_1.jpg", "1.jpg"])
def test_a_file_of_artphoto_without_a_class_is_named(tmp_path: Path, name: str) -> None:
    files = artphoto() | pictures([f"testImages_artphoto/{name}"])
    with pytest.raises(BadLayout, match=f"unexpected image '{name}'; expected <class>_<id>"):
        listed("artphoto", tmp_path, files)
