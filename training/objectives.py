"""What a head learns, by label kind: its loss, its activation and the metrics it is judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.labels import LabelKind, LabelSet
from training.data.labelled import Batch
from training.errors import TrainingError
from training.metrics.checks import Floats
from training.metrics.distribution import distribution_metrics
from training.metrics.multi import multi_metrics
from training.metrics.single import single_metrics


class BatchMismatch(TrainingError, ValueError):
    """Logits, targets and presence whose shapes do not belong together."""


class Loss(Protocol):
    """Mean loss over the samples that are present; 0, with zero gradients, if none is."""

    def __call__(self, logits: Tensor, targets: Tensor, *, present: Tensor) -> Tensor: ...


class Activation(Protocol):
    """From logits B,C to probabilities B,C in float32."""

    def __call__(self, logits: Tensor) -> Tensor: ...


class Metrics(Protocol):
    """Metrics by name of probabilities N,C; `thresholds` (C) matter to multi-label heads alone."""

    def __call__(
        self,
        probabilities: Floats,
        targets: NDArray[Any],
        *,
        labels: LabelSet,
        thresholds: Floats,
    ) -> dict[str, float]: ...


@dataclass(frozen=True, slots=True)
class Objective:
    """How one kind of label is learned and judged."""

    loss: Loss
    activation: Activation
    metrics: Metrics
    best_metric: str
    """The metric that selects the best model, on validation data."""
    higher_is_better: bool
    """Whether a larger value of `best_metric` is the better one."""


def cross_entropy(logits: Tensor, targets: Tensor, *, present: Tensor) -> Tensor:
    """Softmax cross-entropy, mean of -ln softmax(z)_t; targets are class ids, int64 B.

    Goodfellow, Bengio and Courville 2016, section 6.2.2.3. From 0, lower is better.
    """
    _check_shape("present", present, expected=logits.shape[:1])
    _check_shape("targets", targets, expected=logits.shape[:1])
    held, known = _neutralised(logits, targets, present=present)
    return _mean_present(F.cross_entropy(held, known, reduction="none"), present)


def binary_cross_entropy(logits: Tensor, targets: Tensor, *, present: Tensor) -> Tensor:
    """Sigmoid cross-entropy, mean over samples and labels; targets are 0 or 1, float B,C.

    -(y ln s(z) + (1 - y) ln(1 - s(z))), the cross-entropy of Nam et al., "Large-scale Multi-label
    Text Classification", ECML 2014. From 0, lower is better.
    """
    _check_shape("present", present, expected=logits.shape[:1])
    _check_shape("targets", targets, expected=logits.shape)
    held, known = _neutralised(logits, targets.float(), present=present)
    terms = F.binary_cross_entropy_with_logits(held, known, reduction="none")  # B,C
    return _mean_present(terms.mean(dim=1), present)


def kl_divergence(logits: Tensor, targets: Tensor, *, present: Tensor) -> Tensor:
    """KL(p || softmax(z)), sum_c p_c (ln p_c - ln q_c), mean over samples; rows p sum to 1, B,C.

    Gao et al., "Deep Label Distribution Learning with Label Ambiguity", TIP 2017; 0 ln 0 is 0.
    From 0, lower is better.
    """
    _check_shape("present", present, expected=logits.shape[:1])
    _check_shape("targets", targets, expected=logits.shape)
    held, known = _neutralised(logits, targets.float(), present=present)
    terms = torch.xlogy(known, known) - known * F.log_softmax(held, dim=1)  # B,C
    return _mean_present(terms.sum(dim=1), present)


def softmax(logits: Tensor) -> Tensor:
    """Probabilities that sum to 1 over the labels, B,C in float32."""
    return torch.softmax(logits.float(), dim=1)


def sigmoid(logits: Tensor) -> Tensor:
    """A probability a label, B,C in float32."""
    return torch.sigmoid(logits.float())


def _judge_single(
    probabilities: Floats, targets: NDArray[Any], *, labels: LabelSet, thresholds: Floats
) -> dict[str, float]:
    return single_metrics(probabilities, targets, labels=labels)


def _judge_multi(
    probabilities: Floats, targets: NDArray[Any], *, labels: LabelSet, thresholds: Floats
) -> dict[str, float]:
    return multi_metrics(probabilities, targets, thresholds=thresholds)


def _judge_distribution(
    probabilities: Floats, targets: NDArray[Any], *, labels: LabelSet, thresholds: Floats
) -> dict[str, float]:
    return distribution_metrics(probabilities, targets)


def default_thresholds(labels: LabelSet) -> NDArray[np.float64]:
    """A threshold of 0.5 a label, C: what holds until thresholds are fitted."""
    return np.full(len(labels), 0.5)


def _neutralised(logits: Tensor, targets: Tensor, *, present: Tensor) -> tuple[Tensor, Tensor]:
    """Logits in float32 and targets, both 0 where absent, so that no filler reaches the loss.

    Replaced and not dropped: the shapes stay static, and the device need not be waited for.
    Multiplying the loss by 0 would not do: 0 times NaN is NaN, in the gradient as well.
    """
    rows = present.unsqueeze(1)  # B,1
    held = torch.where(rows, logits.float(), 0.0)
    known = torch.where(present if targets.ndim == 1 else rows, targets, 0)
    return held, known


def _mean_present(losses: Tensor, present: Tensor) -> Tensor:
    # The clamp turns the mean over none, 0/0, into 0.
    return torch.where(present, losses, 0.0).sum() / present.sum().clamp(min=1)


def _check_shape(name: str, value: Tensor, *, expected: torch.Size) -> None:
    # Without this, broadcasting would turn a slip of shape into a plausible number.
    if value.shape != expected:
        raise BatchMismatch(
            f"{name} have shape {tuple(value.shape)}, expected {tuple(expected)} for these logits;"
            " give one row a sample"
        )


OBJECTIVES: Mapping[LabelKind, Objective] = {
    LabelKind.SINGLE: Objective(
        loss=cross_entropy,
        activation=softmax,
        metrics=_judge_single,
        best_metric="top1",
        higher_is_better=True,
    ),
    LabelKind.MULTI: Objective(
        loss=binary_cross_entropy,
        activation=sigmoid,
        metrics=_judge_multi,
        best_metric="mean_average_precision",
        higher_is_better=True,
    ),
    LabelKind.DISTRIBUTION: Objective(
        loss=kl_divergence,
        activation=softmax,
        metrics=_judge_distribution,
        best_metric="kl",
        higher_is_better=False,
    ),
}


def task_losses(
    logits: Mapping[LabelKind, Tensor],
    batch: Batch,
    *,
    weights: Mapping[LabelKind, float],
) -> dict[str, Tensor]:
    """The loss of every head, in the weight of its kind (1 where none is given), by kind."""
    return {
        kind.value: weights.get(kind, 1.0)
        * OBJECTIVES[kind].loss(found, batch.targets[kind], present=batch.present[kind])
        for kind, found in logits.items()
    }
