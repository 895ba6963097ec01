"""Each gate just inside and just outside of its limit, with numbers worked out by hand."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from models.labels import LabelKind, LabelSet
from models.manifest import Gate, Output
from training.export.gates import (
    GateFailed,
    HeadMetric,
    demand,
    int8_gate,
    map_gate,
    parity_gate,
)

SINGLE, MULTI, DISTRIBUTION = LabelKind
EQUAL = np.array([[0.5, 0.5]])
SURE = np.array([[0.8, 0.2]])
APART = np.array([[1.0, -1.0]])
NAN, INF = float("nan"), float("inf")


def output(
    kind: LabelKind, *, bias: tuple[float, ...] = (0.0, 0.0), temperature: float = 1.0
) -> Output:
    """A head of as many labels as biases."""
    return Output(
        kind=kind,
        labels=LabelSet(names=tuple(f"label {n}" for n in range(len(bias)))),
        bias=bias,
        temperature=temperature,
        thresholds=tuple(0.5 for _ in bias) if kind is LabelKind.MULTI else None,
    )


def maps(*logits: float) -> NDArray[np.float64]:
    """One image's maps of 1x2 cells; the mean over each is the logit given."""
    return np.array([[[[logit - 3.0, logit + 3.0]] for logit in logits]])


def int8(
    fp32: NDArray[np.float64],
    found: NDArray[np.float64],
    *,
    kind: LabelKind = SINGLE,
    metric: HeadMetric | None = None,
) -> Gate:
    """The INT8 gate of one head."""
    return int8_gate({kind: fp32}, {kind: found}, metrics={kind: metric or HeadMetric(1.0, 1.0)})


def rows(*shares: float) -> NDArray[np.float64]:
    """A row of two labels for each share of the first."""
    return np.array([[share, 1 - share] for share in shares])


@pytest.mark.parametrize(("difference", "passed"), [(0.99e-4, True), (1.01e-4, False)])
def test_parity_holds_up_to_a_ten_thousandth(difference: float, passed: bool) -> None:
    gate = parity_gate({SINGLE: EQUAL}, {1: {SINGLE: EQUAL + difference * APART}})
    assert gate.passed is passed
    assert gate.measured["single.batch_1"] == pytest.approx(difference)
    assert gate.limits == {"largest_difference": 1e-4}


def test_parity_of_one_batch_size_and_head_does_not_excuse_another() -> None:
    reference = {SINGLE: SURE, MULTI: SURE}
    gate = parity_gate(reference, {1: reference, 5: {SINGLE: SURE, MULTI: SURE + 0.25}})
    assert not gate.passed
    assert gate.measured == {
        "single.batch_1": 0.0,
        "multi.batch_1": 0.0,
        "single.batch_5": 0.0,
        "multi.batch_5": pytest.approx(0.25),
        "images": 1.0,
    }


def test_number_of_images_is_no_difference() -> None:
    many = np.repeat(SURE, 200, axis=0)
    gate = parity_gate({SINGLE: many}, {1: {SINGLE: many}})
    assert gate.passed
    assert gate.measured["images"] == 200


@pytest.mark.parametrize("wrong", [NAN, INF])
@pytest.mark.parametrize("side", ["PyTorch", "graph"])
def test_parity_with_what_is_no_number_never_passes(wrong: float, side: str) -> None:
    broken = np.array([[wrong, 0.5]])
    pair = (broken, EQUAL) if side == "PyTorch" else (EQUAL, broken)
    gate = parity_gate({SINGLE: pair[0]}, {1: {SINGLE: pair[1]}})
    assert not gate.passed
    assert gate.measured["single.batch_1"] == INF


@pytest.mark.parametrize("kind", [SINGLE, DISTRIBUTION])
def test_maps_rebuild_a_softmax_with_bias_and_temperature(kind: LabelKind) -> None:
    # Means 0 and ln 3, biases 0 and ln 3: logits 0 and 2 ln 3; over T = 2 they are 0 and ln 3.
    head = output(kind, bias=(0.0, math.log(3)), temperature=2.0)
    scores = np.array([[0.25, 0.75]])
    gate = map_gate([head], {kind: scores}, {kind: maps(0.0, math.log(3))})
    assert gate.passed
    assert gate.measured[kind.value] == pytest.approx(0, abs=1e-12)


def test_maps_rebuild_a_sigmoid_with_bias() -> None:
    head = output(MULTI, bias=(0.0, math.log(3)))
    scores = np.array([[0.5, 0.75]])  # 1 / (1 + exp(-ln 3)) = 3/4
    assert map_gate([head], {MULTI: scores}, {MULTI: maps(0.0, 0.0)}).passed


@pytest.mark.parametrize(("difference", "passed"), [(0.99e-4, True), (1.01e-4, False)])
def test_maps_hold_up_to_a_ten_thousandth(difference: float, passed: bool) -> None:
    scores = EQUAL + difference * APART
    gate = map_gate([output(SINGLE)], {SINGLE: scores}, {SINGLE: maps(0.0, 0.0)})
    assert gate.passed is passed
    assert gate.measured["single"] == pytest.approx(difference)


def test_a_map_without_its_bias_is_not_exact() -> None:
    scores = np.array([[0.25, 0.75]])
    assert not map_gate([output(SINGLE)], {SINGLE: scores}, {SINGLE: maps(0.0, 0.0)}).passed


def test_maps_that_are_no_number_never_pass() -> None:
    gate = map_gate([output(SINGLE)], {SINGLE: EQUAL}, {SINGLE: maps(NAN, 0.0)})
    assert not gate.passed
    assert gate.measured["single"] == INF


@pytest.mark.parametrize(("log_ratio", "passed"), [(0.0099, True), (0.0101, False)])
def test_mean_kl_holds_up_to_a_hundredth_of_a_nat(log_ratio: float, passed: bool) -> None:
    # p = (1, 0) and q = (exp(-x), 1 - exp(-x)): KL(p || q) = 1 ln(1 / exp(-x)) = x.
    gate = int8(rows(1.0), rows(math.exp(-log_ratio)))
    assert gate.passed is passed
    assert gate.measured["single.mean_kl"] == pytest.approx(log_ratio)


def test_kl_is_that_of_int8_from_float32_and_a_mean_over_images() -> None:
    gate = int8(rows(0.5, 0.5), rows(0.5, 0.8))
    # The second image: 0.5 ln(0.5 / 0.8) + 0.5 ln(0.5 / 0.2) = 0.5 ln 1.5625
    assert gate.measured["single.mean_kl"] == pytest.approx(0.25 * math.log(1.5625))
    assert not gate.passed


def test_kl_of_a_multi_label_head_is_a_mean_over_its_labels() -> None:
    gate = int8(np.array([[0.5, 0.9]]), np.array([[0.8, 0.9]]), kind=MULTI)
    # Label 1 as above, with its "not"; label 2 agrees.
    assert gate.measured["multi.mean_kl"] == pytest.approx(0.25 * math.log(1.5625))


def test_kl_counts_a_probability_that_became_zero() -> None:
    gate = int8(rows(0.5), rows(0.0))
    assert not gate.passed
    assert 40 < gate.measured["single.mean_kl"] < 50  # 0.5 ln(0.5 / 1.2e-38) - 0.5 ln 2 = 43


@pytest.mark.parametrize(("loss", "passed"), [(0.0049, True), (0.0051, False)])
def test_metric_may_lose_half_a_point(loss: float, passed: bool) -> None:
    gate = int8(SURE, SURE, metric=HeadMetric(0.9, 0.9 - loss))
    assert gate.passed is passed
    assert gate.measured["single.metric_loss"] == pytest.approx(loss)


def test_metric_may_gain() -> None:
    assert int8(SURE, SURE, metric=HeadMetric(0.5, 0.9)).passed


@pytest.mark.parametrize(("images", "passed"), [(100, True), (99, False)])
def test_top_labels_agree_for_99_in_100_where_float32_is_sure(images: int, passed: bool) -> None:
    # One image of them flips, by so little that the KL stays far below its own limit.
    fp32, found = rows(*[0.53] * images), rows(*[0.53] * (images - 1), 0.49)
    gate = int8(fp32, found)
    assert gate.measured["single.mean_kl"] < 1e-3
    assert gate.measured["single.top_agreement"] == pytest.approx(1 - 1 / images)
    assert gate.passed is passed


@pytest.mark.parametrize(("share", "passed"), [(0.524, True), (0.526, False)])
def test_float32_is_sure_from_a_lead_of_a_twentieth(share: float, passed: bool) -> None:
    gate = int8(rows(share), rows(0.49))
    assert gate.measured["single.mean_kl"] < 0.01
    assert gate.passed is passed


@pytest.mark.parametrize("labels", [1, 2])
def test_a_head_without_a_sure_image_agrees(labels: int) -> None:
    scores = np.full((3, labels), 0.5)
    gate = int8(scores, scores, kind=MULTI)
    assert gate.passed
    assert gate.measured["multi.top_agreement"] == 1.0


@pytest.mark.parametrize("which", ["fp32", "int8", "metric"])
def test_int8_that_is_no_number_never_passes(which: str) -> None:
    fp32, found = rows(0.8, NAN if which == "fp32" else 0.8), rows(0.8, 0.8)
    if which == "int8":
        found = rows(0.8, NAN)
    metric = HeadMetric(0.9, NAN if which == "metric" else 0.9)
    assert not int8(fp32, found, metric=metric).passed


def test_one_bad_head_fails_int8_whatever_comes_after_it() -> None:
    good, bad = HeadMetric(0.9, 0.9), HeadMetric(0.9, 0.8)
    same = {SINGLE: SURE, DISTRIBUTION: SURE}
    assert not int8_gate(same, same, metrics={SINGLE: bad, DISTRIBUTION: good}).passed
    off = {SINGLE: rows(0.2), DISTRIBUTION: SURE}
    assert not int8_gate(same, off, metrics={SINGLE: good, DISTRIBUTION: good}).passed


def _maps_off() -> Gate:
    return map_gate([output(SINGLE)], {SINGLE: rows(0.75)}, {SINGLE: maps(0.0, 0.0)})


def _parity_off() -> Gate:
    return parity_gate({SINGLE: rows(0.5)}, {2: {SINGLE: rows(0.625)}})


@pytest.mark.parametrize(
    ("made", "figures"),
    [
        (_parity_off, "fp32_parity: measured {'single.batch_2': 0.125, 'images': 1.0}"),
        (_maps_off, "maps_are_exact: measured {'single': 0.25}"),
    ],
)
def test_failed_gate_is_told_with_figures_and_limits(
    made: Callable[[], Gate], figures: str
) -> None:
    passed = parity_gate({SINGLE: EQUAL}, {1: {SINGLE: EQUAL}})
    with pytest.raises(GateFailed) as caught:
        demand([passed, made()])
    assert str(caught.value) == (
        f"the bundle is not published: {figures}, limits {{'largest_difference': 0.0001}}"
    )


def test_every_failed_gate_is_told() -> None:
    with pytest.raises(GateFailed, match=r"fp32_parity.*; maps_are_exact"):
        demand([_parity_off(), _maps_off()])


def test_gates_that_passed_are_let_through() -> None:
    demand([parity_gate({SINGLE: EQUAL}, {1: {SINGLE: EQUAL}})])
    demand([])
