"""The real FI and Emotion6, where they are at hand."""

from collections import Counter
from pathlib import Path

import pytest

from models.labels import MIKELS, LabelKind
from training.data.canonical import CanonicalDataset, Split
from training.data.importers.emotion6 import import_emotion6
from training.data.importers.fi import import_fi
from training.data.importers.listing import ImportOptions
from training.data.importing import import_dataset
from training.data.source import open_source

DATA = Path(__file__).parents[4] / "shared" / "data"
FI = [DATA / f"fi-{n}.zip" for n in range(3)]
EMOTION6_ZIP = DATA / "emotion6.zip"

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


@pytest.mark.parametrize(("fold", "size"), [(0, 318), (1, 318), (2, 318), (3, 318), (4, 312)])
def test_emotion6_has_its_folds(fold: int, size: int) -> None:
    listing = import_emotion6(open_source([EMOTION6_ZIP]), ImportOptions(test_fold=fold))
    counts = Counter(record.split for record in listing.records)
    assert len(listing.records) == 1_584
    assert counts[Split.TEST] == size
    assert counts[Split.VAL] == pytest.approx((1_584 - size) / 10, abs=3)


def test_emotion6_is_imported_whole(tmp_path: Path) -> None:
    report = import_dataset(
        format="emotion6",
        sources=[EMOTION6_ZIP],
        destination=tmp_path / "emotion6",
        name="Emotion6, fold 0",
        options=ImportOptions(),
        progress=lambda step, done, total: None,
    )
    made = CanonicalDataset.open(tmp_path / "emotion6")
    assert report.counts == {Split.TRAIN: 1_140, Split.VAL: 126, Split.TEST: 318}
    assert report.duplicates == ()
    assert all(s.shares and abs(sum(s.shares) - 1) < 1e-5 for s in made.samples)
