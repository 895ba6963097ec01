"""Temperature, thresholds and label sets against hand-worked values and plain search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.metrics import f1_score

from training.calibration import (
    TEMPERATURE_RANGE,
    fit_label_threshold,
    fit_temperature,
    fit_thresholds,
    label_set_figures,
)
from training.metrics.checks import (
    EmptyInput,
    InvalidMetricInput,
    NotADistribution,
    NotBinary,
    ShapeMismatch,
)

Rows = NDArray[np.float64]
Scored = tuple[Rows, NDArray[np.bool_]]


def nll(logits: Rows, targets: Rows, *, temperature: float) -> float:
    return float(-(targets * log_softmax(logits / temperature, axis=1)).sum(axis=1).mean())


def draw_logits(seed: int, *, samples: int = 40, classes: int = 4) -> Rows:
    return 2 * np.random.default_rng(seed).standard_normal((samples, classes))


def f1_by_class(targets: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Rows:
    return np.asarray(f1_score(targets, predicted, average=None, zero_division=0))


def draw_scores(seed: int, *, samples: int, levels: int) -> Scored:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels + 1, size=(samples, 3)) / levels
    return scores, rng.random((samples, 3)) < 0.4


scored = st.builds(
    draw_scores,
    st.integers(0, 2**32 - 1),
    samples=st.integers(1, 12),
    levels=st.sampled_from([2, 7, 1000]),
)


def test_temperature_makes_confidence_equal_accuracy() -> None:
    # Three of four are right at a margin of m = 2 ln 3. The best T has softmax(m / T) = 3/4,
    # hence m / T = ln 3 and T = 2.
    logits = np.tile([2 * np.log(3), 0.0], (4, 1))
    targets = np.eye(2)[[0, 0, 0, 1]]
    assert fit_temperature(logits, targets) == pytest.approx(2, rel=1e-4)


@pytest.mark.parametrize("true_temperature", [0.3, 1.0, 4.0])
def test_temperature_that_made_the_targets_is_found(true_temperature: float) -> None:
    logits = draw_logits(0)
    targets = softmax(logits / true_temperature, axis=1)
    assert fit_temperature(logits, targets) == pytest.approx(true_temperature, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_temperature_is_as_good_as_an_exhaustive_search(seed: int) -> None:
    logits = draw_logits(seed)
    targets = np.eye(4)[(logits + draw_logits(seed + 100)).argmax(axis=1)]
    fitted = nll(logits, targets, temperature=fit_temperature(logits, targets))
    grid = np.geomspace(*TEMPERATURE_RANGE, num=400)
    assert fitted <= min(nll(logits, targets, temperature=t) for t in grid) + 1e-9


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.sampled_from([0.0, 0.01, 1.0, 50.0]))
def test_temperature_never_makes_the_fit_worse(seed: int, samples: int, scale: float) -> None:
    logits = scale * draw_logits(seed, samples=samples)
    targets = np.random.default_rng(seed).dirichlet(np.ones(4), size=samples)
    temperature = fit_temperature(logits, targets)
    assert TEMPERATURE_RANGE[0] <= temperature <= TEMPERATURE_RANGE[1]
    assert nll(logits, targets, temperature=temperature) <= nll(logits, targets, temperature=1)


def test_temperature_of_logits_that_say_nothing_is_1() -> None:
    assert fit_temperature(np.zeros((3, 2)), np.eye(2)[[0, 1, 1]]) == 1


def test_temperature_without_errors_to_learn_from_stays_in_its_range() -> None:
    assert fit_temperature(np.eye(3), np.eye(3)) >= TEMPERATURE_RANGE[0]


def test_temperature_needs_targets_for_these_logits() -> None:
    with pytest.raises(ShapeMismatch):
        fit_temperature(np.zeros((3, 2)), np.eye(3))
    with pytest.raises(NotADistribution):
        fit_temperature(np.zeros((2, 2)), np.array([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(InvalidMetricInput, match="1 of 4 logits"):
        fit_temperature(np.array([[0.0, np.nan], [0.0, 0.0]]), np.eye(2))
    with pytest.raises(EmptyInput):
        fit_temperature(np.zeros((0, 2)), np.zeros((0, 2)))


def test_threshold_lies_midway_between_the_scores_it_parts() -> None:
    # .9 and .7 hold, .3 and .2 do not: F1 is 1 between .3 and .7
    scores = np.array([[0.9], [0.2], [0.7], [0.3]])
    targets = np.array([[True], [False], [True], [False]])
    assert fit_thresholds(scores, targets) == pytest.approx([0.5])


def test_threshold_accepts_false_positives_where_f1_gains() -> None:
    # in falling order yes, no, yes: F1 of the first 1, 2, 3 is 2/3, 1/2, 4/5
    scores = np.array([[0.8], [0.6], [0.4]])
    assert fit_thresholds(scores, np.array([[True], [False], [True]])) == pytest.approx([0.2])


def test_threshold_prefers_the_nearest_to_one_half_among_equally_good_ones() -> None:
    # in falling order yes, no, no, yes: F1 of the first 1 and of all 4 is 2/3, hence .8 or .05
    scores = np.array([[0.9], [0.7], [0.3], [0.1]])
    assert fit_thresholds(scores, np.array([[1], [0], [0], [1]]) > 0) == pytest.approx([0.8])
    # mirrored towards the low end .2 / 2 = .1 is as good as .95, and nearer
    scores = np.array([[1.0], [0.9], [0.3], [0.2]])
    assert fit_thresholds(scores, np.array([[1], [0], [0], [1]]) > 0) == pytest.approx([0.1])


def test_threshold_of_a_class_without_positives_is_one_half() -> None:
    scores = np.array([[0.9, 0.9], [0.1, 0.1]])
    targets = np.array([[False, True], [False, False]])
    assert fit_thresholds(scores, targets) == pytest.approx([0.5, 0.5])
    assert fit_thresholds(scores * 0.1, targets) == pytest.approx([0.5, 0.05])


def test_threshold_stays_inside_0_and_1_for_scores_at_the_ends() -> None:
    lowest, below_1 = 5e-324, float(np.nextafter(1, 0))
    for pair in ([0.0, 1.0], [0.0, 0.0], [1.0, 1.0], [lowest, 0.0], [1.0, below_1]):
        for truth in ([1, 0], [0, 1], [1, 1]):
            (fitted,) = fit_thresholds(np.array([pair]).T, np.array([truth], dtype=np.bool_).T)
            assert 0 < fitted < 1


def test_threshold_parts_scores_that_have_no_number_between_them() -> None:
    above_half = float(np.nextafter(0.5, 1))
    fitted = fit_thresholds(np.array([[above_half], [0.5]]), np.array([[True], [False]]))
    assert fitted.tolist() == [above_half]


@settings(deadline=None, max_examples=40)
@given(scored)
def test_no_threshold_beats_the_fitted_ones(sample: Scored) -> None:
    scores, targets = sample
    fitted = fit_thresholds(scores, targets)
    assert ((fitted > 0) & (fitted < 1)).all()
    reached = f1_by_class(targets, scores >= fitted)
    for other in np.clip(np.append(scores, [0.0, 1.0]), 1e-9, 1 - 1e-9):
        assert (reached >= f1_by_class(targets, scores >= other)).all()


def test_thresholds_need_truth_values() -> None:
    with pytest.raises(NotBinary):
        fit_thresholds(np.full((2, 2), 0.5), np.full((2, 2), 2))


def test_label_threshold_is_the_ranked_probability_of_the_truth() -> None:
    true = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2])  # of 9 images
    scores = np.column_stack([true, 1 - true])
    targets = np.zeros(9, dtype=np.int64)
    # (9 + 1) * 0.8 = 8: the eighth from the top
    assert fit_label_threshold(scores, targets, coverage=0.8) == 0.25
    assert fit_label_threshold(scores, targets, coverage=0.9) == 0.2
    assert fit_label_threshold(scores, targets, coverage=0.95) == 0.0  # rank 10 of 9: every label


@pytest.mark.parametrize("coverage", [0.7, 0.8, 0.9, 0.95])
def test_label_sets_keep_their_coverage_on_held_out_data(coverage: float) -> None:
    """Over many draws the mean coverage lies at the stated one; a set is never empty."""
    generator = np.random.default_rng(7)
    covered = []
    for _ in range(200):
        scores = generator.dirichlet(np.full(5, 0.5), size=400)
        targets = np.array([generator.choice(5, p=row) for row in scores])
        threshold = fit_label_threshold(scores[:200], targets[:200], coverage=coverage)
        share, size = label_set_figures(scores[200:], targets[200:], threshold=threshold)
        covered.append(share)
        assert size >= 1
    assert (
        coverage - 0.01 <= np.mean(covered) <= max(coverage + 0.015, np.mean(scores.max(1)) + 0.02)
    )


def test_label_set_without_a_score_at_its_threshold_is_the_first_label() -> None:
    scores = np.array([[0.4, 0.35, 0.25], [0.2, 0.5, 0.3]])
    assert label_set_figures(scores, np.array([0, 0]), threshold=0.9) == (0.5, 1.0)
    assert label_set_figures(scores, np.array([1, 2]), threshold=0.3) == (1.0, 2.0)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 1.5])
def test_coverage_is_a_share(coverage: float) -> None:
    with pytest.raises(InvalidMetricInput, match="between 0 and 1"):
        fit_label_threshold(np.array([[0.5, 0.5]]), np.array([0]), coverage=coverage)
