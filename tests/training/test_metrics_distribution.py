"""Distribution metrics against hand-worked values, SciPy and their own invariants."""

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import distance
from scipy.stats import entropy

from training.metrics.checks import (
    EmptyInput,
    InvalidMetricInput,
    NotADistribution,
    NotAProbability,
    ShapeMismatch,
)
from training.metrics.distribution import (
    KL_EPSILON,
    canberra_normalized,
    canberra_raw,
    chebyshev,
    clark_normalized,
    clark_raw,
    cosine,
    distribution_metrics,
    dominant_accuracy,
    intersection,
    kl,
)

Rows = NDArray[np.float64]
Pair = tuple[Rows, Rows]
Metric = Callable[[Rows, Rows], float]

SYMMETRIC: tuple[Metric, ...] = (chebyshev, clark_raw, canberra_raw, cosine, intersection)

PERFECT = {
    "chebyshev": 0.0,
    "clark_raw": 0.0,
    "clark_normalized": 0.0,
    "canberra_raw": 0.0,
    "canberra_normalized": 0.0,
    "kl": 0.0,
    "cosine": 1.0,
    "intersection": 1.0,
    "dominant_accuracy": 1.0,
}

PREDICTED = np.array([[0.5, 0.25, 0.25, 0.0]])
TARGET = np.array([[0.25, 0.75, 0.0, 0.0]])


def draw(seed: int, *, samples: int = 30, classes: int = 8) -> Pair:
    """Two random sets of distributions in which a good part of the shares is exactly 0."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, size=(2, samples, classes))
    counts[..., 0] += counts.sum(axis=-1) == 0
    predicted, target = counts / counts.sum(axis=-1, keepdims=True)
    return predicted, target


pairs = st.builds(
    draw,
    st.integers(0, 2**32 - 1),
    samples=st.integers(1, 10),
    classes=st.integers(1, 6),
)


def test_chebyshev_is_the_largest_difference() -> None:
    # |.25 - .5|, |.75 - .25|, .25, 0
    assert chebyshev(PREDICTED, TARGET) == pytest.approx(0.5)


def test_clark_sums_squared_relative_differences() -> None:
    # .25/.75, .5/1, .25/.25, 0/0: sqrt(1/9 + 1/4 + 1 + 0) = sqrt(49/36)
    assert clark_raw(PREDICTED, TARGET) == pytest.approx(7 / 6)
    assert clark_normalized(PREDICTED, TARGET) == pytest.approx(7 / 12)


def test_canberra_sums_relative_differences() -> None:
    # 1/3 + 1/2 + 1 + 0
    assert canberra_raw(PREDICTED, TARGET) == pytest.approx(11 / 6)
    assert canberra_normalized(PREDICTED, TARGET) == pytest.approx(11 / 24)


def test_kl_goes_from_the_target_to_the_prediction_in_nats() -> None:
    # .25 ln(.25/.5) + .75 ln(.75/.25) + 0 + 0
    expected = 0.25 * np.log(0.5) + 0.75 * np.log(3)
    assert kl(PREDICTED, TARGET) == pytest.approx(expected)


def test_kl_of_a_label_ruled_out_in_error_is_bounded_by_its_epsilon() -> None:
    # 1 ln(1 / epsilon)
    worst = kl(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))
    assert worst == pytest.approx(-np.log(KL_EPSILON))


def test_cosine_is_the_dot_product_over_the_lengths() -> None:
    # (.125 + .1875) / (sqrt(.375) sqrt(.625))
    assert cosine(PREDICTED, TARGET) == pytest.approx(0.3125 / np.sqrt(0.375 * 0.625))


def test_intersection_is_the_shared_mass() -> None:
    # .25 + .25 + 0 + 0
    assert intersection(PREDICTED, TARGET) == pytest.approx(0.5)


def test_dominant_accuracy_compares_the_largest_shares() -> None:
    # label 0 against label 1: wrong; against itself: right
    both = np.concatenate([TARGET, PREDICTED])
    assert dominant_accuracy(np.concatenate([PREDICTED, PREDICTED]), both) == 0.5


def test_dominant_accuracy_takes_any_of_the_tied_target_labels_as_right() -> None:
    target = np.array([[0.4, 0.4, 0.2]] * 3)
    predicted = np.array([[0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.1, 0.3, 0.6]])
    # labels 0 and 1 are right, 2 is not
    assert dominant_accuracy(predicted, target) == pytest.approx(2 / 3)


def test_dominant_accuracy_takes_the_first_of_tied_predictions() -> None:
    assert dominant_accuracy(np.array([[0.5, 0.5]]), np.array([[0.4, 0.6]])) == 0


@pytest.mark.parametrize("metric", [clark_raw, clark_normalized, canberra_raw, canberra_normalized])
def test_a_label_neither_distribution_holds_adds_nothing(metric: Metric) -> None:
    predicted = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    target = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    assert metric(predicted, target) == 0


def test_one_label_at_zero_over_zero_does_not_spoil_the_mean() -> None:
    # the second pair has no zeros: .2/1, .2/1; the first adds 7/6, 11/6 as above
    predicted = np.concatenate([PREDICTED, [[0.4, 0.6, 0.0, 0.0]]])
    target = np.concatenate([TARGET, [[0.6, 0.4, 0.0, 0.0]]])
    assert clark_raw(predicted, target) == pytest.approx((7 / 6 + np.sqrt(0.08)) / 2)
    assert canberra_raw(predicted, target) == pytest.approx((11 / 6 + 0.4) / 2)


@pytest.mark.parametrize("seed", range(5))
def test_distribution_metrics_agree_with_scipy(seed: int) -> None:
    predicted, target = draw(seed)
    rows = list(zip(predicted, target, strict=True))
    held = [np.maximum(q, KL_EPSILON) for q in predicted]
    expected = {
        "chebyshev": np.mean([distance.chebyshev(p, q) for q, p in rows]),
        "canberra_raw": np.mean([distance.canberra(p, q) for q, p in rows]),
        "canberra_normalized": np.mean([distance.canberra(p, q) / 8 for q, p in rows]),
        "kl": np.mean([entropy(p, q) for q, p in zip(held, target, strict=True)]),
        "cosine": np.mean([1 - distance.cosine(p, q) for q, p in rows]),
        # both distributions have mass 1, so half their L1 distance is what they do not share
        "intersection": np.mean([1 - distance.cityblock(p, q) / 2 for q, p in rows]),
    }
    metrics = distribution_metrics(predicted, target)
    assert {name: metrics[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_clark_and_dominant_accuracy_agree_with_plain_loops(seed: int) -> None:
    predicted, target = draw(seed)
    clark, hits = [], []
    for q, p in zip(predicted.tolist(), target.tolist(), strict=True):
        terms = [((a - b) / (a + b)) ** 2 for a, b in zip(p, q, strict=True) if a + b > 0]
        clark.append(sum(terms) ** 0.5)
        hits.append(p[q.index(max(q))] == max(p))
    assert clark_raw(predicted, target) == pytest.approx(sum(clark) / 30)
    assert clark_normalized(predicted, target) == pytest.approx(sum(clark) / 30 / 8**0.5)
    assert dominant_accuracy(predicted, target) == sum(hits) / 30


@settings(deadline=None)
@given(pairs)
def test_metrics_stay_in_their_range(pair: Pair) -> None:
    metrics = distribution_metrics(*pair)
    classes, rounding = pair[0].shape[1], 1e-9
    limits = {"clark_raw": classes**0.5, "canberra_raw": classes, "kl": -np.log(KL_EPSILON)}
    for name, value in metrics.items():
        assert -rounding <= value <= limits.get(name, 1) + rounding


@settings(deadline=None)
@given(pairs)
def test_a_distribution_is_perfectly_predicted_by_itself(pair: Pair) -> None:
    _, target = pair
    assert distribution_metrics(target, target) == pytest.approx(PERFECT)


@settings(deadline=None)
@given(pairs, st.randoms(use_true_random=False))
def test_metrics_do_not_depend_on_the_order_of_samples(pair: Pair, random: Random) -> None:
    predicted, target = pair
    order = random.sample(range(len(target)), len(target))
    shuffled = distribution_metrics(predicted[order], target[order])
    assert shuffled == pytest.approx(distribution_metrics(predicted, target))


@settings(deadline=None)
@given(pairs)
def test_distances_are_the_same_both_ways(pair: Pair) -> None:
    predicted, target = pair
    for metric in SYMMETRIC:
        assert metric(predicted, target) == pytest.approx(metric(target, predicted))


def test_a_batch_of_one_has_every_metric() -> None:
    assert distribution_metrics(PREDICTED, PREDICTED) == pytest.approx(PERFECT)


def test_rows_in_float32_pass_as_distributions() -> None:
    predicted, target = draw(0)
    single = distribution_metrics(predicted.astype(np.float32), target.astype(np.float32))
    assert single == pytest.approx(distribution_metrics(predicted, target), abs=1e-5)


@pytest.mark.parametrize(
    ("predicted", "target", "error"),
    [
        (np.zeros((0, 4)), np.zeros((0, 4)), EmptyInput),
        (PREDICTED[0], TARGET[0], ShapeMismatch),
        (PREDICTED, TARGET[:, :3], ShapeMismatch),
        (np.where(PREDICTED == 0.5, np.nan, PREDICTED), TARGET, NotAProbability),
        (PREDICTED, TARGET * 4, NotAProbability),
        (PREDICTED, TARGET * 0.5, NotADistribution),
        (PREDICTED * 0, TARGET, NotADistribution),
    ],
)
def test_input_a_metric_is_not_defined_for_is_refused(
    predicted: Rows, target: Rows, error: type[InvalidMetricInput]
) -> None:
    with pytest.raises(error):
        distribution_metrics(predicted, target)


def test_a_row_that_does_not_sum_to_1_is_named() -> None:
    wrong = np.concatenate([TARGET, TARGET * 0.5])
    with pytest.raises(NotADistribution, match=r"1 of 2 rows.*row 1 sums to 0\.5"):
        kl(np.concatenate([PREDICTED, PREDICTED]), wrong)
