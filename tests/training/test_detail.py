"""What lies behind an output's metrics, on answers that can be counted by hand."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from models.labels import LabelKind
from training.detail import detail
from training.evaluation import Predictions

HALF = np.full(3, 0.5)


def test_classes_are_counted_by_truth_and_answer() -> None:
    scores = np.array([[0.8, 0.1, 0.1], [0.6, 0.4, 0.0], [0.2, 0.7, 0.1], [0.1, 0.9, 0.0]])
    found = detail(
        LabelKind.SINGLE,
        Predictions(scores, np.array([0, 1, 1, 2])),
        temperature=1,
        thresholds=HALF,
    )
    assert found.confusion == ((1, 0, 0), (1, 1, 0), (0, 1, 0))
    assert found.per_label == {
        "precision": (0.5, 0.5, 0.0),
        "recall": (1.0, 0.5, 0.0),
        "f1": (pytest.approx(2 / 3), 0.5, 0.0),
        "images": (1.0, 2.0, 1.0),
    }
    assert found.uncalibrated is None  # there was nothing to calibrate
    right = [(each.cases, each.accuracy) for each in found.calibration.bins]
    assert right == [(1, 0.0), (1, 1.0), (1, 1.0), (1, 0.0)]  # by first labels of .6, .7, .8, .9
    assert found.calibration.error == pytest.approx((0.6 + 0.3 + 0.2 + 0.9) / 4)


def test_several_labels_are_judged_one_by_one_at_their_thresholds() -> None:
    scores = np.array([[0.9, 0.2, 0.5], [0.4, 0.6, 0.5]])
    targets = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    found = detail(
        LabelKind.MULTI,
        Predictions(scores, targets),
        temperature=1,
        thresholds=np.array([0.5, 0.1, 0.6]),
    )
    assert found.confusion is None
    assert found.per_label == {
        "average_precision": (1.0, 1.0, 0.0),
        "precision": (1.0, 0.5, 0.0),
        "recall": (0.5, 1.0, 0.0),
        "f1": (pytest.approx(2 / 3), pytest.approx(2 / 3), 0.0),
        "images": (2.0, 1.0, 0.0),
    }
    assert sum(each.cases for each in found.calibration.bins) == scores.size


def test_shares_are_compared_and_dominant_labels_counted() -> None:
    told = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    truth = np.array([[0.5, 0.5, 0.0], [0.0, 0.4, 0.6]])
    found = detail(LabelKind.DISTRIBUTION, Predictions(told, truth), temperature=1, thresholds=HALF)
    assert found.per_label["mean_error"] == pytest.approx((0.1, 0.15, 0.25))
    assert found.per_label["mean_share"] == pytest.approx((0.25, 0.45, 0.3))
    assert found.per_label["mean_told"] == pytest.approx((0.35, 0.4, 0.25))
    assert found.confusion == ((1, 0, 0), (0, 0, 0), (0, 1, 0))  # a tie is what was told of it
    assert found.per_label["recall"] == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", [LabelKind.SINGLE, LabelKind.DISTRIBUTION])
def test_the_state_before_calibration_is_that_of_the_plain_logits(kind: LabelKind) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (50, 4))
    shares = softmax(rng.normal(0, 1, (50, 4)), axis=1)
    targets = shares.argmax(axis=1) if kind is LabelKind.SINGLE else shares

    def of(temperature: float) -> Predictions:
        return Predictions(softmax(logits / temperature, axis=1), targets)

    plain = detail(kind, of(1), temperature=1, thresholds=HALF)
    calibrated = detail(kind, of(2.5), temperature=2.5, thresholds=HALF)
    assert calibrated.uncalibrated is not None
    assert calibrated.uncalibrated.error == pytest.approx(plain.calibration.error)
    assert calibrated.uncalibrated.error != pytest.approx(calibrated.calibration.error)


def test_probabilities_that_are_true_have_no_error_to_speak_of() -> None:
    rng = np.random.default_rng(0)
    scores = expit(rng.normal(0, 2, (20000, 3)))
    holds = (rng.random(scores.shape) < scores).astype(float)
    true = detail(LabelKind.MULTI, Predictions(scores, holds), temperature=1, thresholds=HALF)
    too_sure = detail(
        LabelKind.MULTI,
        Predictions(np.clip(scores * 1.5, 0, 1), holds),
        temperature=1,
        thresholds=HALF,
    )
    assert true.calibration.error < 0.01
    assert too_sure.calibration.error > 0.1
