"""Class folders, FI among them: the class order is written down, and odd folders are named."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from models.labels import EMOTION6, MIKELS, LabelKind, LabelSet, Polarity
from tests.training.data.layouts import PACKINGS, Files, fi, pictures, write_folder
from training.data.canonical import Split
from training.data.importers.class_folder import import_class_folder
from training.data.importers.fixed_classes import import_fi
from training.data.importers.listing import BadLayout, BadOption, ImportOptions, Listing
from training.data.source import open_source

Packing = Callable[[Path, Files], list[Path]]


def listed(root: Path, files: Files, **options: object) -> Listing:
    source = open_source([write_folder(root, files)])
    return import_class_folder(source, ImportOptions.model_validate(options))


def blank(*names: str) -> Files:
    """Files whose content a listing does not look at."""
    return dict.fromkeys(names, b"")


@pytest.mark.parametrize("packing", PACKINGS)
def test_fi_is_listed_from_every_packing(tmp_path: Path, packing: Packing) -> None:
    listing = import_fi(open_source(packing(tmp_path, fi())), ImportOptions())
    assert listing.label_sets == {LabelKind.SINGLE: MIKELS}
    assert Counter((r.split, r.label) for r in listing.records) == {
        (split, label): 3 for split in Split for label in MIKELS.names
    }
    assert listing.remarks == ()


def test_a_folder_that_is_none_of_mikels_eight_is_named(tmp_path: Path) -> None:
    files = fi() | blank("FI/train/joy/1.jpg", "FI/test/happy/1.jpg")
    source = open_source([write_folder(tmp_path, files)])
    with pytest.raises(BadLayout, match=r"class folders happy, joy; expected amusement, anger"):
        import_fi(source, ImportOptions())


def test_fi_has_one_order_of_classes(tmp_path: Path) -> None:
    source = open_source([write_folder(tmp_path, fi())])
    with pytest.raises(BadOption, match="whose order is fixed"):
        import_fi(source, ImportOptions(labels=("fear", "awe")))


def test_classes_are_in_sorted_order_and_train_and_test_agree(tmp_path: Path) -> None:
    files = blank("train/c/1.jpg", "train/a/1.jpg", "train/b/1.jpg", "test/b/1.jpg", "test/a/2.jpg")
    listing = listed(tmp_path, files, val_fraction=0)
    assert listing.label_sets[LabelKind.SINGLE].names == ("a", "b", "c")
    assert {(r.file_name, r.label) for r in listing.records} == {
        (name, name.split("/")[1]) for name in files
    }


def test_the_order_that_is_given_is_kept(tmp_path: Path) -> None:
    listing = listed(tmp_path, blank("train/a/1.jpg", "train/b/1.jpg"), labels=["b", "a"])
    assert listing.label_sets[LabelKind.SINGLE].names == ("b", "a")


@pytest.mark.parametrize("known", [MIKELS, EMOTION6], ids=["mikels", "emotion6"])
def test_well_known_emotions_bring_their_polarity_in_any_order(
    tmp_path: Path, known: LabelSet
) -> None:
    order = tuple(reversed(known.names))
    listing = listed(tmp_path, blank(*(f"{n}/1.jpg" for n in known.names)), labels=order)
    assert known.polarity is not None
    assert listing.label_sets[LabelKind.SINGLE].polarity == tuple(reversed(known.polarity))


def test_negative_and_positive_are_their_own_polarity(tmp_path: Path) -> None:
    listing = listed(tmp_path, blank("train/positive/1.jpg", "train/negative/1.jpg"))
    labels = listing.label_sets[LabelKind.SINGLE]
    assert labels.names == labels.polarity == (Polarity.NEGATIVE, Polarity.POSITIVE)


def test_other_classes_have_no_polarity(tmp_path: Path) -> None:
    labels = listed(tmp_path, blank("train/awe/1.jpg", "train/bored/1.jpg")).label_sets
    assert labels[LabelKind.SINGLE].polarity is None


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
def test_val_goes_by_several_names(tmp_path: Path, val: str) -> None:
    listing = listed(tmp_path, blank("train/a/1.jpg", f"{val}/a/2.jpg", "test/a/3.jpg"))
    assert [r.split for r in sorted(listing.records, key=lambda r: r.file_name[-5])] == [*Split]


def test_val_is_drawn_from_train_where_there_is_none_and_it_is_said(tmp_path: Path) -> None:
    files = blank(*(f"train/a/{n}.jpg" for n in range(20)), "test/a/x.jpg")
    listing = listed(tmp_path, files)
    counts = Counter(r.split for r in listing.records)
    assert counts == {Split.TRAIN: 18, Split.VAL: 2, Split.TEST: 1}
    assert any("val was drawn" in remark for remark in listing.remarks)


def test_test_and_val_are_drawn_where_there_are_no_splits_and_it_is_said(tmp_path: Path) -> None:
    files = blank(*(f"{c}/{n}.jpg" for c in ("a", "b") for n in range(20)))
    listing = listed(tmp_path, files)
    counts = Counter((r.split, r.label) for r in listing.records)
    assert counts == {
        (split, label): count
        for split, count in ((Split.TRAIN, 16), (Split.VAL, 2), (Split.TEST, 2))
        for label in ("a", "b")
    }
    assert any("10% were drawn as test" in remark for remark in listing.remarks)


def test_a_class_that_a_split_lacks_is_remarked(tmp_path: Path) -> None:
    files = blank("train/a/1.jpg", "train/b/1.jpg", "val/a/2.jpg", "test/b/2.jpg")
    remarks = listed(tmp_path, files).remarks
    assert "no image in val of class b" in remarks
    assert "no image in test of class a" in remarks


@pytest.mark.parametrize(
    "odd", ["train/1.jpg", "train/a/b/1.jpg", "extra/a/1.jpg", "1.jpg"], ids=str
)
def test_an_image_where_none_should_be_is_named(tmp_path: Path, odd: str) -> None:
    with pytest.raises(BadLayout, match=f"unexpected image '{odd}'; expected <split>/<class>"):
        listed(tmp_path, blank("train/a/1.jpg", odd))


def test_files_that_are_no_images_are_listed_as_ignored(tmp_path: Path) -> None:
    files = blank("train/a/1.JPG", "train/a/Thumbs.db", "readme.txt")
    listing = listed(tmp_path, files)
    assert [r.file_name for r in listing.records] == ["train/a/1.JPG"]
    assert listing.ignored == ("readme.txt", "train/a/Thumbs.db")


def test_a_source_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match="has no image"):
        listed(tmp_path, blank("train/a/readme.txt"))


def test_pictures_differ_so_that_no_test_mistakes_them_for_duplicates() -> None:
    assert len(set(pictures(map(str, range(50))).values())) == 50
