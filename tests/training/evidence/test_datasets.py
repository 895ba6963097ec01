"""The data sets of the plans, made from the archives at hand."""

from collections import Counter
from pathlib import Path

import pytest

from models.labels import LabelKind
from tests.training.generated import ROOT
from training.data.canonical import CanonicalDataset, Split
from training.evidence.datasets import fold_of_emotion6, fold_of_wikiart

SOURCE = ROOT.parent / "shared" / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (SOURCE / "emotion6.zip").exists(), reason="no real data here"),
]
EMOTIONS = 11
"""Of WikiArt's twenty, as the protocol says."""


def test_wikiarts_folds_have_eleven_native_labels_and_paintings_of_none(tmp_path: Path) -> None:
    folds = [fold_of_wikiart(SOURCE, tmp_path, fold) for fold in (0, 1)]
    sets = [CanonicalDataset.open(root) for root in folds]
    names = [dataset.label_sets[LabelKind.MULTI].names for dataset in sets]
    assert len(names[0]) == EMOTIONS
    assert names[0] == names[1]
    files = [{sample.file_name for sample in dataset.subset(Split.TEST)} for dataset in sets]
    assert len(sets[0].samples) == 1060
    assert not files[0] & files[1]
    held = Counter(label for sample in sets[0].samples for label in sample.multi or ())
    assert min(held.values()) >= 30
    assert any(sample.multi == () for sample in sets[0].samples)


def test_emotion6s_folds_test_other_photos(tmp_path: Path) -> None:
    folds = [fold_of_emotion6(SOURCE, tmp_path, fold) for fold in (0, 4)]
    sets = [CanonicalDataset.open(root) for root in folds]
    files = [{sample.file_name for sample in dataset.subset(Split.TEST)} for dataset in sets]
    assert not files[0] & files[1]
    assert all(300 < len(each) < 330 for each in files)
