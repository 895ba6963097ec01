"""Single-label metrics against hand-worked values, scikit-learn and their own invariants."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, recall_score
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from models.labels import EMOTION6, MIKELS, LabelSet, Polarity
from training.metrics.checks import (
    EmptyInput,
    InvalidMetricInput,
    NotAClassId,
    NotAProbability,
    ShapeMismatch,
)
from training.metrics.single import (
    PolarityUnknown,
    confusion_matrix,
    macro_f1,
    per_class_f1,
    per_class_recall,
    polarity_accuracy,
    single_metrics,
    top1,
)

Sample = tuple[NDArray[np.float64], NDArray[np.int64]]

THREE = LabelSet(
    names=("awe", "fear", "surprise"),
    polarity=(Polarity.POSITIVE, Polarity.NEGATIVE, Polarity.NEUTRAL),
)

# Top-1 classes 0, 0, 1, 2 against targets 0, 1, 1, 0.
SCORES = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]])
TARGETS = np.array([0, 1, 1, 0])


def draw(seed: int, *, samples: int = 60, classes: int = 8) -> Sample:
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(classes), size=samples)
    return scores, rng.integers(0, classes, size=samples)


samples = st.builds(
    draw,
    st.integers(0, 2**32 - 1),
    samples=st.integers(1, 12),
    classes=st.integers(1, 6),
)


def test_top1_counts_the_samples_whose_largest_score_is_on_the_target() -> None:
    # right, wrong, right, wrong: 2 of 4
    assert top1(SCORES, TARGETS) == 0.5


def test_top1_takes_the_first_of_equally_probable_classes() -> None:
    tied = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert top1(tied, np.array([0, 1])) == 0.5


def test_confusion_matrix_has_targets_as_rows_and_predictions_as_columns() -> None:
    # (target, prediction): (0,0) (1,0) (1,1) (0,2)
    assert confusion_matrix(SCORES, TARGETS).tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]


def test_per_class_recall_is_the_share_of_each_class_that_is_found() -> None:
    # class 0: 1 of 2, class 1: 1 of 2, class 2: none to find
    assert per_class_recall(confusion_matrix(SCORES, TARGETS)).tolist() == [0.5, 0.5, 0.0]


def test_per_class_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # class 0: TP 1, FP 1, FN 1: 2/4; class 1: TP 1, FP 0, FN 1: 2/3; class 2: TP 0
    assert per_class_f1(confusion_matrix(SCORES, TARGETS)) == pytest.approx([1 / 2, 2 / 3, 0])


def test_macro_f1_is_the_mean_over_the_classes() -> None:
    # (1/2 + 2/3 + 0) / 3 = 7/18; class 2 counts, for it is predicted
    assert macro_f1(SCORES, TARGETS) == pytest.approx(7 / 18)


def test_macro_f1_leaves_out_a_class_that_does_not_occur() -> None:
    # the first three samples never see class 2: F1 are 2/3 (TP 1, FP 1) and 2/3 (TP 1, FN 1)
    assert macro_f1(SCORES[:3], TARGETS[:3]) == pytest.approx(2 / 3)


def test_polarity_accuracy_compares_the_polarity_of_the_top1_class() -> None:
    # predicted +, +, -, neutral against +, -, -, +: 2 of 4
    assert polarity_accuracy(SCORES, TARGETS, labels=THREE) == 0.5


def test_polarity_accuracy_forgives_a_wrong_class_of_the_right_polarity() -> None:
    scores = np.eye(8)[[MIKELS.index("awe"), MIKELS.index("fear")]]
    targets = np.array(MIKELS.indices(["amusement", "anger"]))
    assert polarity_accuracy(scores, targets, labels=MIKELS) == 1
    assert top1(scores, targets) == 0


def test_polarity_accuracy_does_not_sum_the_probabilities_of_a_polarity() -> None:
    # anger leads with 0.4, though amusement and awe hold 0.6 together
    scores = np.array([[0.3, 0.4, 0.3, 0, 0, 0, 0, 0]])
    assert polarity_accuracy(scores, np.array([MIKELS.index("anger")]), labels=MIKELS) == 1


def test_polarity_accuracy_leaves_out_neutral_targets() -> None:
    # the second target, surprise, is neutral; of the first and the third one is right
    scores = np.eye(7)[[EMOTION6.index("joy"), EMOTION6.index("surprise"), EMOTION6.index("joy")]]
    targets = np.array(EMOTION6.indices(["joy", "surprise", "fear"]))
    assert polarity_accuracy(scores, targets, labels=EMOTION6) == 0.5


def test_polarity_accuracy_of_neutral_targets_alone_is_zero() -> None:
    assert polarity_accuracy(SCORES[:1], np.array([2]), labels=THREE) == 0


def test_polarity_accuracy_needs_a_polarity() -> None:
    with pytest.raises(PolarityUnknown, match="sunny, gloomy"):
        polarity_accuracy(
            np.array([[1.0, 0.0]]), np.array([0]), labels=LabelSet(names=("sunny", "gloomy"))
        )


@pytest.mark.parametrize("seed", range(5))
def test_single_metrics_agree_with_sklearn(seed: int) -> None:
    scores, targets = draw(seed)
    predicted = scores.argmax(axis=1)
    positive = np.array([each is Polarity.POSITIVE for each in MIKELS.polarity or ()])
    assert single_metrics(scores, targets, labels=MIKELS) == pytest.approx(
        {
            "top1": accuracy_score(targets, predicted),
            "macro_f1": f1_score(targets, predicted, average="macro"),
            "polarity_accuracy": accuracy_score(positive[targets], positive[predicted]),
        }
    )


@pytest.mark.parametrize("seed", range(5))
def test_confusion_and_per_class_values_agree_with_sklearn(seed: int) -> None:
    scores, targets = draw(seed, samples=20)
    predicted, classes = scores.argmax(axis=1), range(8)
    confusion = confusion_matrix(scores, targets)
    expected = sklearn_confusion_matrix(targets, predicted, labels=classes)
    recall = recall_score(targets, predicted, labels=classes, average=None, zero_division=0)
    f1 = f1_score(targets, predicted, labels=classes, average=None, zero_division=0)
    np.testing.assert_array_equal(confusion, expected)
    np.testing.assert_allclose(per_class_recall(confusion), recall)
    np.testing.assert_allclose(per_class_f1(confusion), f1)


def test_labels_without_polarity_have_no_polarity_accuracy() -> None:
    metrics = single_metrics(SCORES, TARGETS, labels=LabelSet(names=("a", "b", "c")))
    assert metrics.keys() == {"top1", "macro_f1"}


@settings(deadline=None)
@given(samples)
def test_metrics_stay_between_0_and_1(sample: Sample) -> None:
    for metric in (top1, macro_f1):
        assert 0 <= metric(*sample) <= 1


@settings(deadline=None)
@given(samples, st.randoms(use_true_random=False))
def test_metrics_do_not_depend_on_the_order_of_samples(sample: Sample, random: Random) -> None:
    scores, targets = sample
    order = random.sample(range(len(targets)), len(targets))
    for metric in (top1, macro_f1):
        assert metric(scores[order], targets[order]) == pytest.approx(metric(scores, targets))


@settings(deadline=None)
@given(samples)
def test_perfect_predictions_have_perfect_metrics(sample: Sample) -> None:
    scores, targets = sample
    perfect = np.eye(scores.shape[1])[targets]
    assert top1(perfect, targets) == macro_f1(perfect, targets) == 1


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_accuracy_does_not_depend_on_the_batch_size(batch: int) -> None:
    scores, targets = draw(0, samples=50)
    starts = range(0, 50, batch)
    hits = [
        top1(scores[i : i + batch], targets[i : i + batch]) * len(targets[i : i + batch])
        for i in starts
    ]
    assert sum(hits) / 50 == pytest.approx(top1(scores, targets))


def test_a_batch_of_one_has_every_metric() -> None:
    metrics = single_metrics(SCORES[:1], TARGETS[:1], labels=THREE)
    assert metrics == {"top1": 1, "macro_f1": 1, "polarity_accuracy": 1}


@pytest.mark.parametrize(
    ("scores", "targets", "error"),
    [
        (np.zeros((0, 3)), np.zeros(0, dtype=np.int64), EmptyInput),
        (np.array([0.5, 0.5]), np.array([0]), ShapeMismatch),
        (SCORES, TARGETS[:2], ShapeMismatch),
        (SCORES, TARGETS[:, None], ShapeMismatch),
        (SCORES, np.array([0, 1, 2, 3]), NotAClassId),
        (SCORES, np.array([0, 1, -1, 2]), NotAClassId),
        (SCORES, TARGETS.astype(np.float64), NotAClassId),
        (np.where(SCORES == 0.8, np.nan, SCORES), TARGETS, NotAProbability),
        (SCORES * 10, TARGETS, NotAProbability),
    ],
)
def test_input_a_metric_is_not_defined_for_is_refused(
    scores: NDArray[np.float64], targets: NDArray[np.int64], error: type[InvalidMetricInput]
) -> None:
    with pytest.raises(error):
        single_metrics(scores, targets, labels=THREE)


def test_a_label_set_of_another_size_is_refused() -> None:
    with pytest.raises(ShapeMismatch, match="8 labels"):
        single_metrics(SCORES, TARGETS, labels=MIKELS)
