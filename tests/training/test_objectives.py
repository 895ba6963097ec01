"""Losses against hand-worked values and PyTorch's own; absent samples must leave no trace."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.labels import MIKELS, LabelKind
from training.objectives import (
    OBJECTIVES,
    BatchMismatch,
    Objective,
    binary_cross_entropy,
    cross_entropy,
    default_thresholds,
    kl_divergence,
)

CLASSES = len(MIKELS)
QUARTERS = torch.tensor([[0.0, math.log(3)]])  # softmax: 1/4, 3/4
EVERY_KIND = pytest.mark.parametrize("kind", list(LabelKind))


def draw_logits(samples: int, *, seed: int = 0) -> Tensor:
    return 3 * torch.randn(samples, CLASSES, generator=torch.Generator().manual_seed(seed))


def draw_single(samples: int, *, generator: torch.Generator) -> Tensor:
    return torch.randint(CLASSES, (samples,), generator=generator)


def draw_multi(samples: int, *, generator: torch.Generator) -> Tensor:
    return torch.randint(2, (samples, CLASSES), generator=generator).float()


def draw_distribution(samples: int, *, generator: torch.Generator) -> Tensor:
    counts = torch.randint(0, 4, (samples, CLASSES), generator=generator).float()
    counts[:, 0] += 1
    return counts / counts.sum(dim=1, keepdim=True)


DRAWS = {
    LabelKind.SINGLE: draw_single,
    LabelKind.MULTI: draw_multi,
    LabelKind.DISTRIBUTION: draw_distribution,
}

FILLERS: dict[LabelKind, float] = {
    LabelKind.SINGLE: -100,
    LabelKind.MULTI: float("nan"),
    LabelKind.DISTRIBUTION: float("nan"),
}


def draw_targets(kind: LabelKind, samples: int, *, seed: int = 1) -> Tensor:
    return DRAWS[kind](samples, generator=torch.Generator().manual_seed(seed))


def everyone(samples: int) -> Tensor:
    return torch.ones(samples, dtype=torch.bool)


def test_every_label_kind_has_an_objective() -> None:
    assert set(OBJECTIVES) == set(LabelKind)


def test_cross_entropy_is_the_negative_log_of_the_targets_probability() -> None:
    # q = 1/4, 3/4 and targets 0 and 1: (ln 4 + ln 4/3) / 2
    loss = cross_entropy(QUARTERS.repeat(2, 1), torch.tensor([0, 1]), present=everyone(2))
    assert loss.item() == pytest.approx((np.log(4) + np.log(4 / 3)) / 2)


def test_binary_cross_entropy_is_the_mean_over_samples_and_labels() -> None:
    # sigmoid(ln 3) = 3/4 for a label that holds and for one that does not: (ln 4/3 + ln 4) / 2
    logits = torch.full((1, 2), math.log(3))
    loss = binary_cross_entropy(logits, torch.tensor([[1.0, 0.0]]), present=everyone(1))
    assert loss.item() == pytest.approx((np.log(4 / 3) + np.log(4)) / 2)


def test_kl_divergence_goes_from_the_target_to_the_prediction() -> None:
    # p = 1/2, 1/2 and q = 1/4, 3/4: (ln 2 + ln 2/3) / 2 = ln(4/3) / 2
    loss = kl_divergence(QUARTERS, torch.tensor([[0.5, 0.5]]), present=everyone(1))
    assert loss.item() == pytest.approx(np.log(4 / 3) / 2)


def test_kl_divergence_takes_zero_log_zero_as_zero() -> None:
    # p = 0, 1 and q = 1/4, 3/4: ln 4/3, with a finite gradient q - p
    logits = QUARTERS.clone().requires_grad_()
    loss = kl_divergence(logits, torch.tensor([[0.0, 1.0]]), present=everyone(1))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == pytest.approx(np.log(4 / 3))
    torch.testing.assert_close(gradient, torch.tensor([[0.25, -0.25]]))


def reference_kl(logits: Tensor, targets: Tensor) -> Tensor:
    return F.kl_div(F.log_softmax(logits, dim=1), targets, reduction="batchmean")


REFERENCES: dict[LabelKind, Callable[[Tensor, Tensor], Tensor]] = {
    LabelKind.SINGLE: F.cross_entropy,
    LabelKind.MULTI: F.binary_cross_entropy_with_logits,
    LabelKind.DISTRIBUTION: reference_kl,
}


@EVERY_KIND
@pytest.mark.parametrize("samples", [1, 2, 17])
def test_loss_agrees_with_pytorch(kind: LabelKind, samples: int) -> None:
    logits, targets = draw_logits(samples), draw_targets(kind, samples)
    loss = OBJECTIVES[kind].loss(logits, targets, present=everyone(samples))
    assert loss.shape == ()
    torch.testing.assert_close(loss, REFERENCES[kind](logits, targets))


def gradient_of(
    objective: Objective, logits: Tensor, targets: Tensor, *, present: Tensor
) -> Tensor:
    leaf = logits.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(objective.loss(leaf, targets, present=present), leaf)
    return gradient


@EVERY_KIND
@settings(deadline=None, max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_a_mixed_batch_costs_what_its_present_samples_cost(
    kind: LabelKind, presence: list[bool]
) -> None:
    present = torch.tensor(presence)
    logits, targets = draw_logits(len(presence)), draw_targets(kind, len(presence))
    mixed = OBJECTIVES[kind].loss(logits, targets, present=present)
    if not present.any():
        assert mixed.item() == 0
        return
    present_alone = everyone(sum(presence))
    subset = OBJECTIVES[kind].loss(logits[present], targets[present], present=present_alone)
    torch.testing.assert_close(mixed, subset)


@EVERY_KIND
def test_gradients_of_absent_samples_are_exactly_zero(kind: LabelKind) -> None:
    present = torch.tensor([True, False, True, False])
    logits, targets = draw_logits(4), draw_targets(kind, 4)
    gradient = gradient_of(OBJECTIVES[kind], logits, targets, present=present)
    alone = gradient_of(OBJECTIVES[kind], logits[present], targets[present], present=everyone(2))
    assert torch.count_nonzero(gradient[~present]) == 0
    torch.testing.assert_close(gradient[present], alone)


@EVERY_KIND
def test_fillers_of_absent_samples_reach_neither_loss_nor_gradient(kind: LabelKind) -> None:
    present = torch.tensor([True, False])
    logits, targets = draw_logits(2), draw_targets(kind, 2)
    clean = OBJECTIVES[kind].loss(logits, targets, present=present)
    logits[1], targets[1] = float("inf"), FILLERS[kind]
    assert OBJECTIVES[kind].loss(logits, targets, present=present) == clean
    gradient = gradient_of(OBJECTIVES[kind], logits, targets, present=present)
    assert torch.isfinite(gradient).all()
    assert torch.count_nonzero(gradient[1]) == 0


@EVERY_KIND
def test_a_batch_without_present_samples_teaches_nothing(kind: LabelKind) -> None:
    logits, targets = draw_logits(3).requires_grad_(), draw_targets(kind, 3)
    loss = OBJECTIVES[kind].loss(logits, targets, present=~everyone(3))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == 0
    assert torch.count_nonzero(gradient) == 0


@EVERY_KIND
def test_loss_and_activation_are_float32_under_bfloat16_autocast(kind: LabelKind) -> None:
    layer = torch.nn.Linear(4, CLASSES)
    targets = draw_targets(kind, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = layer(torch.ones(3, 4))
        loss = OBJECTIVES[kind].loss(logits, targets, present=everyone(3))
        probabilities = OBJECTIVES[kind].activation(logits)
    assert logits.dtype == torch.bfloat16
    assert loss.dtype == probabilities.dtype == torch.float32
    expected = OBJECTIVES[kind].loss(logits.float(), targets, present=everyone(3))
    assert loss.item() == expected.item()


@pytest.mark.parametrize("kind", [LabelKind.SINGLE, LabelKind.DISTRIBUTION])
def test_probabilities_of_exclusive_labels_sum_to_1(kind: LabelKind) -> None:
    logits = draw_logits(5)
    probabilities = OBJECTIVES[kind].activation(logits)
    torch.testing.assert_close(probabilities, logits.exp() / logits.exp().sum(dim=1, keepdim=True))


def test_probabilities_of_multiple_labels_do_not_depend_on_each_other() -> None:
    logits = draw_logits(5)
    probabilities = OBJECTIVES[LabelKind.MULTI].activation(logits)
    torch.testing.assert_close(probabilities, 1 / (1 + (-logits).exp()))


@EVERY_KIND
@pytest.mark.parametrize("samples", [1, 12])
def test_metrics_accept_what_activation_and_targets_give(kind: LabelKind, samples: int) -> None:
    objective = OBJECTIVES[kind]
    metrics = objective.metrics(
        objective.activation(draw_logits(samples)).numpy(),
        draw_targets(kind, samples).numpy(),
        labels=MIKELS,
        thresholds=default_thresholds(MIKELS),
    )
    assert objective.best_metric in metrics
    assert all(type(value) is float and np.isfinite(value) for value in metrics.values())


def sharp_logits(kind: LabelKind, targets: Tensor) -> Tensor:
    shares = F.one_hot(targets, CLASSES).float() if kind is LabelKind.SINGLE else targets
    return torch.logit(shares, eps=1e-6) if kind is LabelKind.MULTI else (shares + 1e-9).log()


@EVERY_KIND
def test_best_metric_prefers_right_predictions_in_its_declared_direction(kind: LabelKind) -> None:
    objective, targets = OBJECTIVES[kind], draw_targets(kind, 20)

    def judge(logits: Tensor) -> float:
        return objective.metrics(
            objective.activation(logits).numpy(),
            targets.numpy(),
            labels=MIKELS,
            thresholds=default_thresholds(MIKELS),
        )[objective.best_metric]

    right, random = judge(sharp_logits(kind, targets)), judge(draw_logits(20))
    assert (right > random) is objective.higher_is_better


@EVERY_KIND
def test_targets_that_would_broadcast_are_refused(kind: LabelKind) -> None:
    with pytest.raises(BatchMismatch, match="targets"):
        OBJECTIVES[kind].loss(draw_logits(3), draw_targets(kind, 1), present=everyone(3))


@EVERY_KIND
def test_presence_that_would_broadcast_is_refused(kind: LabelKind) -> None:
    column = everyone(3).unsqueeze(1)
    with pytest.raises(BatchMismatch, match="present"):
        OBJECTIVES[kind].loss(draw_logits(3), draw_targets(kind, 3), present=column)
