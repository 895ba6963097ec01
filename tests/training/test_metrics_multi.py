"""Multi-label metrics against hand-worked values, scikit-learn and their own invariants."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as reference

from training.metrics.checks import (
    EmptyInput,
    InvalidMetricInput,
    NotAProbability,
    NotBinary,
    ShapeMismatch,
)
from training.metrics.multi import (
    coverage,
    hamming_loss,
    macro_f1,
    mean_average_precision,
    micro_f1,
    multi_metrics,
    one_error,
    ranking_loss,
)

Sample = tuple[NDArray[np.float64], NDArray[np.bool_]]

SCORES = np.array([[0.9, 0.6, 0.1], [0.2, 0.8, 0.7], [0.4, 0.3, 0.5]])
TARGETS = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=np.bool_)
HALF = np.full(3, 0.5)


def draw(seed: int, *, samples: int = 40, classes: int = 6, levels: int = 1000) -> Sample:
    """Random scores in steps of 1/levels, so that few levels make many ties."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels + 1, size=(samples, classes)) / levels
    return scores, rng.random((samples, classes)) < 0.4


samples = st.builds(
    draw,
    st.integers(0, 2**32 - 1),
    samples=st.integers(1, 10),
    classes=st.integers(1, 5),
    levels=st.sampled_from([2, 5, 1000]),
)


def test_mean_average_precision_averages_over_the_classes_with_a_positive() -> None:
    # class 0 in falling order: 1, 1, 0: AP = 1
    # class 1: 1, 0, 0: AP = 1
    # class 2: 0.7 no, 0.5 no, 0.1 yes: AP = 1/3
    assert mean_average_precision(SCORES, TARGETS) == pytest.approx((1 + 1 + 1 / 3) / 3)


def test_mean_average_precision_leaves_out_classes_without_a_positive() -> None:
    # without the first sample class 2 has no positive, class 0 has AP 1 and class 1 has AP 1
    assert mean_average_precision(SCORES[1:], TARGETS[1:]) == 1


def test_mean_average_precision_without_any_positive_is_zero() -> None:
    assert mean_average_precision(SCORES, np.zeros_like(TARGETS)) == 0


def test_average_precision_ranks_samples_of_one_score_together() -> None:
    # one step with recall 1 at precision 1/2, in whichever order the two are given
    tied = np.array([[0.5], [0.5]])
    for positive in (0, 1):
        targets = np.arange(2)[:, None] == positive
        assert mean_average_precision(tied, targets) == 0.5


def test_ranking_loss_is_the_share_of_pairs_in_the_wrong_order() -> None:
    # sample 1: pairs (0,1) right, (2,1) wrong: 1/2; sample 2: both right: 0
    # sample 3: (0,1) right, (0,2) wrong: 1/2
    assert ranking_loss(SCORES, TARGETS) == pytest.approx((1 / 2 + 0 + 1 / 2) / 3)


def test_ranking_loss_counts_a_tie_as_wrong() -> None:
    assert ranking_loss(np.array([[0.5, 0.5]]), np.array([[True, False]])) == 1


def test_ranking_loss_counts_samples_without_pairs_as_zero() -> None:
    # sample 1 is 1/2 as above; of the others every label, no label holds
    targets = np.array([[1, 0, 1], [1, 1, 1], [0, 0, 0]], dtype=np.bool_)
    assert ranking_loss(SCORES, targets) == pytest.approx(1 / 6)


def test_one_error_is_the_share_of_samples_whose_top_label_does_not_hold() -> None:
    # top labels 0, 1, 2 of which only the last does not hold
    assert one_error(SCORES, TARGETS) == pytest.approx(1 / 3)


def test_one_error_leaves_out_samples_without_labels() -> None:
    # the second sample has no label left; of the others one is wrong
    targets = TARGETS & np.array([[True], [False], [True]])
    assert one_error(SCORES, targets) == 0.5
    assert one_error(SCORES, np.zeros_like(TARGETS)) == 0


def test_coverage_counts_the_steps_down_to_the_last_label_that_holds() -> None:
    # lowest label that holds at rank 3, 1, 2: (3 + 1 + 2) / 3 - 1
    assert coverage(SCORES, TARGETS) == pytest.approx(1)


def test_coverage_leaves_out_samples_without_labels() -> None:
    # ranks 3 and 2 of the first and the third sample: 5/2 - 1
    targets = TARGETS & np.array([[True], [False], [True]])
    assert coverage(SCORES, targets) == 1.5
    assert coverage(SCORES, np.zeros_like(TARGETS)) == 0


def test_coverage_gives_labels_of_one_score_the_lowest_rank() -> None:
    assert coverage(np.array([[0.5, 0.5, 0.1]]), np.array([[True, False, False]])) == 1


def test_hamming_loss_is_the_share_of_wrong_decisions() -> None:
    # predicted 110, 011, 001 against 101, 010, 100: 2 + 1 + 2 of 9
    assert hamming_loss(SCORES, TARGETS, thresholds=HALF) == pytest.approx(5 / 9)


def test_micro_f1_pools_all_decisions() -> None:
    # TP 2 of 5 predicted and 4 that hold: 4 / 9
    assert micro_f1(SCORES, TARGETS, thresholds=HALF) == pytest.approx(4 / 9)


def test_macro_f1_averages_over_the_classes() -> None:
    # class 0: TP 1, 1 predicted, 2 hold: 2/3; class 1: TP 1, 2 and 1: 2/3; class 2: TP 0
    assert macro_f1(SCORES, TARGETS, thresholds=HALF) == pytest.approx(4 / 9)


def test_macro_f1_leaves_out_a_class_that_neither_holds_nor_is_predicted() -> None:
    # a threshold above all scores and no target: class 2 is gone, 2/3 and 2/3 stay
    targets = TARGETS & np.array([True, True, False])
    limits = np.array([0.5, 0.5, 0.9])
    assert macro_f1(SCORES, targets, thresholds=limits) == pytest.approx(2 / 3)


def test_f1_where_nothing_holds_or_is_predicted_is_zero() -> None:
    nothing = np.zeros_like(TARGETS)
    assert micro_f1(SCORES * 0, nothing, thresholds=HALF) == 0
    assert macro_f1(SCORES * 0, nothing, thresholds=HALF) == 0


def test_a_score_that_reaches_its_threshold_is_predicted() -> None:
    limits = np.array([0.9, 0.8, 0.1])
    # predicted 101, 011, 001 against 101, 010, 100: 0 + 1 + 2 of 9
    assert hamming_loss(SCORES, TARGETS, thresholds=limits) == pytest.approx(3 / 9)


@pytest.mark.parametrize("levels", [4, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_multi_metrics_agree_with_sklearn(seed: int, levels: int) -> None:
    scores, targets = draw(seed, levels=levels)
    limits = np.linspace(0.2, 0.8, 6)
    predicted = scores >= limits
    labelled = targets.any(axis=1)
    top = scores[labelled].argmax(axis=1)[:, None]
    assert multi_metrics(scores, targets, thresholds=limits) == pytest.approx(
        {
            "mean_average_precision": reference.average_precision_score(targets, scores),
            "ranking_loss": reference.label_ranking_loss(targets, scores),
            "one_error": np.mean(~np.take_along_axis(targets[labelled], top, axis=1)),
            "coverage": reference.coverage_error(targets[labelled], scores[labelled]) - 1,
            "hamming_loss": reference.hamming_loss(targets, predicted),
            "micro_f1": reference.f1_score(targets, predicted, average="micro"),
            "macro_f1": reference.f1_score(targets, predicted, average="macro"),
        }
    )


@settings(deadline=None)
@given(samples)
def test_metrics_stay_in_their_range(sample: Sample) -> None:
    classes = sample[0].shape[1]
    metrics = multi_metrics(*sample, thresholds=np.full(classes, 0.5))
    assert 0 <= metrics.pop("coverage") <= classes - 1
    assert all(0 <= value <= 1 for value in metrics.values())


@settings(deadline=None)
@given(samples, st.randoms(use_true_random=False))
def test_metrics_do_not_depend_on_the_order_of_samples(sample: Sample, random: Random) -> None:
    scores, targets = sample
    limits = np.full(scores.shape[1], 0.5)
    order = random.sample(range(len(scores)), len(scores))
    shuffled = multi_metrics(scores[order], targets[order], thresholds=limits)
    assert shuffled == pytest.approx(multi_metrics(scores, targets, thresholds=limits))


@settings(deadline=None)
@given(samples)
def test_ranking_metrics_do_not_change_under_a_rising_function(sample: Sample) -> None:
    scores, targets = sample
    for metric in (mean_average_precision, ranking_loss, one_error, coverage):
        assert metric(scores**2, targets) == metric(scores, targets)


@settings(deadline=None)
@given(samples)
def test_perfect_predictions_have_perfect_metrics(sample: Sample) -> None:
    _, targets = sample
    limits = np.full(targets.shape[1], 0.5)
    metrics = multi_metrics(targets.astype(np.float64), targets, thresholds=limits)
    held = float(targets.any())
    needed = targets.sum(axis=1)[targets.any(axis=1)]
    assert metrics == pytest.approx(
        {
            "mean_average_precision": held,
            "ranking_loss": 0,
            "one_error": 0,
            "coverage": needed.mean() - 1 if held else 0,
            "hamming_loss": 0,
            "micro_f1": held,
            "macro_f1": held,
        }
    )


@pytest.mark.parametrize("truth", [[1, 0, 1], [0, 0, 0], [1, 1, 1]])
def test_a_batch_of_one_has_every_metric(truth: list[int]) -> None:
    metrics = multi_metrics(SCORES[:1], np.array([truth], dtype=np.bool_), thresholds=HALF)
    assert np.isfinite(list(metrics.values())).tolist() == [True] * 7


@pytest.mark.parametrize(
    ("scores", "targets", "thresholds", "error"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3), dtype=np.bool_), HALF, EmptyInput),
        (SCORES[0], TARGETS[0], HALF, ShapeMismatch),
        (SCORES, TARGETS[:1], HALF, ShapeMismatch),
        (SCORES, TARGETS, HALF[:1], ShapeMismatch),
        (SCORES, TARGETS, np.array([0.5, np.nan, 0.5]), NotAProbability),
        (SCORES, TARGETS * 0.5, HALF, NotBinary),
        (np.where(SCORES == 0.9, np.nan, SCORES), TARGETS, HALF, NotAProbability),
        (SCORES - 0.5, TARGETS, HALF, NotAProbability),
    ],
)
def test_input_a_metric_is_not_defined_for_is_refused(
    scores: NDArray[np.float64],
    targets: NDArray[np.bool_],
    thresholds: NDArray[np.float64],
    error: type[InvalidMetricInput],
) -> None:
    with pytest.raises(error):
        multi_metrics(scores, targets, thresholds=thresholds)
