"""Linear probes on features whose classes can be told apart by hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels import LabelKind, LabelSet
from training.data.canonical import Split
from training.evaluation import probabilities
from training.evidence.probe import PENALTIES, Part, probe

LABELS = LabelSet(names=("a", "b", "c"))


def parts(kind: LabelKind, targets: NDArray[Any]) -> dict[Split, Part]:
    """The same points in every split: classes of five at the corners of a triangle."""
    corners = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    noise = np.random.default_rng(0).normal(0, 0.1, (15, 2))
    features = np.repeat(corners, 5, axis=0) + noise
    files = tuple(map(str, range(15)))
    return {split: Part(features, {kind: targets}, {kind: files}) for split in Split}


def test_classes_that_a_line_parts_are_all_told() -> None:
    classes = np.repeat([0, 1, 2], 5)
    found = probe(LabelKind.SINGLE, LABELS, parts(LabelKind.SINGLE, classes))
    assert (found.judged.test.logits.argmax(axis=1) == classes).all()
    assert len(found.tried) == len(PENALTIES)
    assert found.tried[found.chosen] == max(found.tried.values()) == 1  # of all on validation data
    assert found.judged.test.files[:2] == ("0", "1")


def test_a_class_without_a_training_image_gets_next_to_nothing() -> None:
    classes = np.repeat([0, 2, 2], 5)
    found = probe(LabelKind.SINGLE, LABELS, parts(LabelKind.SINGLE, classes))
    scores = probabilities(LabelKind.SINGLE, found.judged.test.logits.astype(np.float64))
    assert scores[:, 1].max() < 1e-5
    assert (scores.argmax(axis=1) == classes).all()


def test_each_of_several_labels_is_told_and_an_absent_one_never() -> None:
    targets = np.repeat([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]], 5, axis=0)
    found = probe(LabelKind.MULTI, LABELS, parts(LabelKind.MULTI, targets))
    scores = probabilities(LabelKind.MULTI, found.judged.test.logits.astype(np.float64))
    for label in (0, 1):
        holds = targets[:, label] == 1
        assert scores[holds, label].min() > scores[~holds, label].max()
    assert scores[:, 2].max() < 1e-5


def test_shares_are_followed() -> None:
    shares = np.repeat([[0.8, 0.2, 0.0], [0.1, 0.9, 0.0], [0.2, 0.1, 0.7]], 5, axis=0)
    found = probe(LabelKind.DISTRIBUTION, LABELS, parts(LabelKind.DISTRIBUTION, shares))
    scores = probabilities(LabelKind.DISTRIBUTION, found.judged.test.logits.astype(np.float64))
    assert np.abs(scores - shares).max() < 0.15
