"""The real data sets, where they are at hand."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from models.labels import MIKELS, LabelKind, Polarity
from training.data.anp_list import read_anp_list
from training.data.canonical import Split
from training.data.importers.fixed_classes import import_fi
from training.data.importers.listing import ImportOptions, Listing
from training.data.importers.table import IMPORTERS
from training.data.source import open_source

DATA = Path(__file__).parents[4] / "shared" / "data"
FI = [DATA / f"fi-{n}.zip" for n in range(3)]

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data is not at {DATA}"),
]


def test_fi_has_its_counts_and_classes() -> None:
    listing = import_fi(open_source(FI), ImportOptions())
    counts = Counter(record.split for record in listing.records)
    assert counts == {Split.TRAIN: 16_813, Split.VAL: 1_052, Split.TEST: 3_156}
    assert listing.label_sets == {LabelKind.SINGLE: MIKELS}
    assert Counter(r.label for r in listing.records).most_common(1) == [("contentment", 5_020)]
    assert (listing.ignored, listing.remarks) == ((), ())


@cache
def listed(format: str, fold: int = 0) -> Listing:
    """The listing of the zip file that is named after the format."""
    options = ImportOptions(test_fold=fold)
    return IMPORTERS[format](open_source([DATA / f"{format}.zip"]), options)


@pytest.mark.parametrize(("fold", "size"), [(0, 318), (1, 318), (2, 318), (3, 318), (4, 312)])
def test_emotion6_has_its_folds(fold: int, size: int) -> None:
    records = listed("emotion6", fold).records
    counts = Counter(record.split for record in records)
    assert len(records) == 1_584
    assert counts[Split.TEST] == size
    assert counts[Split.VAL] == pytest.approx((1_584 - size) / 10, abs=3)


@pytest.mark.parametrize("format", ["emotion6", "wikiart_emotions"])
def test_folds_test_every_picture_once(format: str) -> None:
    records = [record for fold in range(5) for record in listed(format, fold).records]
    tested = Counter(record.file_name for record in records if record.split is Split.TEST)
    assert set(tested.values()) == {1}
    assert tested.keys() == {record.file_name for record in records}


def test_miniplaces_has_a_hundred_scenes() -> None:
    listing = listed("miniplaces")
    counts = Counter((record.split, record.label) for record in listing.records)
    names = listing.label_sets[LabelKind.SINGLE].names
    assert (len(names), names[0], names[-1]) == (100, "abbey", "yard")
    assert all(counts[Split.TRAIN, name] == 100 for name in names)
    assert all(counts[Split.VAL, name] == 10 for name in names)
    assert (listing.ignored, listing.remarks) == ((), ())


def test_flickr8k_has_five_captions_an_image_and_its_splits() -> None:
    listing = listed("flickr8k")
    counts = Counter(record.split for record in listing.records)
    assert counts == {Split.TRAIN: 6_091, Split.VAL: 1_000, Split.TEST: 1_000}
    assert {len(record.captions) for record in listing.records} == {5}
    assert not any('"' in r.captions[0][:1] for r in listing.records if "," in r.captions[0])
    assert (listing.ignored, listing.remarks) == ((), ())


def test_wikiart_emotions_has_shares_of_20_emotions_and_five_folds() -> None:
    listing = listed("wikiart_emotions")
    counts = Counter(record.split for record in listing.records)
    assert (len(listing.records), counts[Split.TEST]) == (1_060, 212)
    assert len(listing.label_sets[LabelKind.DISTRIBUTION]) == 20
    sums = [sum(record.shares or ()) for record in listing.records]
    assert sum(sums) / len(sums) == pytest.approx(1.74, abs=0.005)
    assert listing.ignored == ("README_nrc.txt",)


def test_the_list_of_pairs_has_all_its_3244() -> None:
    pairs = read_anp_list((DATA / "3244ANPs.txt").read_bytes(), file="3244ANPs.txt")
    assert (len(pairs.pairs), len(pairs.adjectives)) == (3_244, 269)
    assert pairs.polarity("misty_woods") is Polarity.NEGATIVE
