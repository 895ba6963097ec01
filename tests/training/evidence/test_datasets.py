"""The data sets of the plans, made from the archives at hand."""

from collections import Counter
from pathlib import Path

import pytest

from models.labels import LabelKind
from tests.training.generated import ROOT
from training.data.canonical import CanonicalDataset, Split
from training.data.importers.listing import ImportOptions
from training.data.importers.table import IMPORTERS
from training.data.source import open_source
from training.evidence.datasets import fold_of_emotion6, fold_of_wikiart

SOURCE = ROOT.parent / "shared" / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (SOURCE / "emotion6.zip").exists(), reason="no real data here"),
]
EMOTIONS = (
    *("anticipation", "arrogance", "disgust", "fear", "happiness", "humility"),
    *("love", "optimism", "sadness", "surprise", "trust"),
)
"""Of WikiArt's twenty, as the protocol says; all paintings count, so that folds have the same."""


def held_out(format: str, fold: int) -> set[str]:
    """What the importer has in the test part of a fold."""
    source = open_source([SOURCE / f"{format}.zip"])
    records = IMPORTERS[format](source, ImportOptions(test_fold=fold)).records
    return {record.file_name for record in records if record.split is Split.TEST}


def test_a_fold_of_wikiart_has_eleven_native_labels_and_paintings_of_none(tmp_path: Path) -> None:
    dataset = CanonicalDataset.open(fold_of_wikiart(SOURCE, tmp_path, 1))
    assert dataset.label_sets[LabelKind.MULTI].names == EMOTIONS
    assert len(dataset.samples) == 1060
    files = {sample.file_name for sample in dataset.subset(Split.TEST)}
    assert files == held_out("wikiart_emotions", 1)
    held = Counter(label for sample in dataset.samples for label in sample.multi or ())
    assert min(held.values()) >= 30
    assert any(sample.multi == () for sample in dataset.samples)


def test_a_fold_of_emotion6_is_imported_whole(tmp_path: Path) -> None:
    dataset = CanonicalDataset.open(fold_of_emotion6(SOURCE, tmp_path, 4))
    counts = {split: len(dataset.subset(split)) for split in Split}
    assert counts == {Split.TRAIN: 1_146, Split.VAL: 126, Split.TEST: 312}
    files = {sample.file_name for sample in dataset.subset(Split.TEST)}
    assert files == held_out("emotion6", 4)
    assert all(s.shares and abs(sum(s.shares) - 1) < 1e-5 for s in dataset.samples)
