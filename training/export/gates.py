"""Checks a bundle must pass before it is published; each says what it measured and its limits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels import LabelKind
from models.manifest import Gate, Output
from training.errors import TrainingError

Scores = Mapping[LabelKind, NDArray[np.float64]]

PARITY_TOLERANCE = 1e-4
"""Largest difference of a probability between PyTorch and the float32 graph."""

PARITY_BATCH_SIZES = (1, 2, 5)

MAP_TOLERANCE = 1e-4
"""Largest difference between a map's mean plus bias and the logit behind the probability."""

INT8_MEAN_KL = 0.01
"""Largest mean KL(fp32 || int8) of a head, in nats (multi: mean over its labels)."""

INT8_METRIC_LOSS = 0.005
"""Largest loss of a head's metric: half a point."""

INT8_AGREEMENT = 0.99
"""Least share of images whose top label agrees, where float32 is sure of it."""

INT8_SURE_MARGIN = 0.05
"""Float32 is sure of a top label that leads the next by this much."""


class GateFailed(TrainingError):
    """The bundle is not published: a check failed."""


@dataclass(frozen=True, slots=True)
class HeadMetric:
    """A head's chosen metric in both precisions, oriented so that higher is better."""

    fp32: float
    int8: float

    @property
    def loss(self) -> float:
        """What INT8 lost; negative where it gained."""
        return self.fp32 - self.int8


def parity_gate(reference: Scores, found: Mapping[int, Scores]) -> Gate:
    """The graph's probabilities at every batch size against PyTorch's, for the same images."""
    measured = {
        f"{kind}.batch_{size}": _largest_difference(scores[kind], reference[kind])
        for size, scores in found.items()
        for kind in reference
    }
    measured["images"] = float(len(next(iter(reference.values()))))
    worst = max(value for name, value in measured.items() if name != "images")
    return Gate(
        name="fp32_parity",
        passed=worst <= PARITY_TOLERANCE,
        measured=measured,
        limits={"largest_difference": PARITY_TOLERANCE},
    )


def map_gate(
    outputs: Iterable[Output],
    scores: Mapping[LabelKind, NDArray[np.float64]],
    maps: Mapping[LabelKind, NDArray[np.float64]],
) -> Gate:
    """Each map's mean plus the bias, over the temperature, activated, against the probability."""
    measured = {}
    for output in outputs:
        logits = (
            maps[output.kind].mean(axis=(2, 3)) + np.asarray(output.bias)
        ) / output.temperature
        rebuilt = _activated(output.kind, logits)
        measured[output.kind.value] = _largest_difference(rebuilt, scores[output.kind])
    return Gate(
        name="maps_are_exact",
        passed=max(measured.values()) <= MAP_TOLERANCE,
        measured=measured,
        limits={"largest_difference": MAP_TOLERANCE},
    )


def int8_gate(
    fp32: Scores,
    int8: Scores,
    *,
    metrics: Mapping[LabelKind, HeadMetric],
    float_share: float = 0.0,
) -> Gate:
    """How far INT8 probabilities, metrics and top labels are from float32's.

    `float_share` of the convolutions were left in float32, which is told with the figures.
    """
    measured: dict[str, float] = {}
    passed = True
    for kind, reference in fp32.items():
        divergence = _mean_kl(kind, reference, int8[kind])
        agreement = _agreement(reference, int8[kind])
        measured[f"{kind}.mean_kl"] = divergence
        measured[f"{kind}.top_agreement"] = agreement
        passed &= divergence <= INT8_MEAN_KL and agreement >= INT8_AGREEMENT
    for kind, metric in metrics.items():
        measured[f"{kind}.metric_loss"] = metric.loss
        passed &= metric.loss <= INT8_METRIC_LOSS
    measured["float_share"] = float_share
    return Gate(
        name="int8",
        passed=passed,
        measured=measured,
        limits={
            "mean_kl": INT8_MEAN_KL,
            "metric_loss": INT8_METRIC_LOSS,
            "top_agreement": INT8_AGREEMENT,
            "sure_margin": INT8_SURE_MARGIN,
        },
    )


def demand(gates: Sequence[Gate]) -> None:
    """Raise GateFailed, with the figures, unless every gate passed."""
    failed = [gate for gate in gates if not gate.passed]
    if failed:
        reasons = "; ".join(f"{g.name}: measured {g.measured}, limits {g.limits}" for g in failed)
        raise GateFailed(f"the bundle is not published: {reasons}")


def _largest_difference(found: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Largest absolute difference; infinite where anything is not a number."""
    difference = float(np.abs(found - reference).max())
    return difference if np.isfinite(difference) else float("inf")


def _activated(kind: LabelKind, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax or sigmoid by hand: the gate must not share the code it checks."""
    if kind is LabelKind.MULTI:
        return np.asarray(1.0 / (1.0 + np.exp(-logits)))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _mean_kl(kind: LabelKind, reference: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Mean KL over images in nats; of a multi-label head the mean over its Bernoulli labels."""
    tiny = np.finfo(np.float32).tiny
    p, q = reference.clip(tiny, 1), found.clip(tiny, 1)
    terms = p * np.log(p / q)
    if kind is LabelKind.MULTI:
        p_not, q_not = (1 - reference).clip(tiny, 1), (1 - found).clip(tiny, 1)
        return float((terms + p_not * np.log(p_not / q_not)).mean())
    return float(terms.sum(axis=1).mean())


def _agreement(reference: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Share of images with the same top label, among those where the reference is sure."""
    if reference.shape[1] == 1:
        return 1.0
    ranked = np.sort(reference, axis=1)
    sure = ranked[:, -1] - ranked[:, -2] >= INT8_SURE_MARGIN
    if not sure.any():
        return 1.0
    same = reference.argmax(axis=1) == found.argmax(axis=1)
    return float(same[sure].mean())
