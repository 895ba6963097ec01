"""What lies behind the metrics of one output: figures by label, confusion, calibration."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.labels import LabelKind
from models.manifest import Calibration, Detail
from training.evaluation import Predictions
from training.metrics.calibration import calibration
from training.metrics.checks import Float64s
from training.metrics.distribution import dominant_labels
from training.metrics.multi import mean_average_precision
from training.metrics.single import (
    confusion_matrix,
    per_class_f1,
    per_class_precision,
    per_class_recall,
)

Figures = dict[str, tuple[float, ...]]
Counts = NDArray[np.int64]

_LEAST = np.finfo(np.float64).tiny
"""Probability that one of 0 is raised to, so that it has a logarithm."""


@dataclass(frozen=True, slots=True)
class _Behind:
    """Where the detail of one kind of label comes from."""

    per_label: Callable[[Predictions, Float64s], Figures]
    confusion: Callable[[Predictions], Counts] | None
    statements: Callable[[Predictions], tuple[Float64s, Float64s]]
    """Stated probabilities, and what came of each, both N."""


def detail(
    kind: LabelKind, found: Predictions, *, temperature: float, thresholds: Float64s
) -> Detail:
    """The detail of probabilities that were calibrated with `temperature`.

    `thresholds` (C) matter to multi alone. Calibration is of the first label's probability where
    one label holds, else of every label's probability or share.
    """
    behind = _BEHIND[kind]
    counts = behind.confusion(found) if behind.confusion else None
    return Detail(
        per_label=behind.per_label(found, thresholds),
        calibration=calibration(*behind.statements(found)),
        uncalibrated=None if temperature == 1 else _uncalibrated(behind, found, temperature),
        confusion=None if counts is None else tuple(map(tuple, counts.tolist())),
    )


def _uncalibrated(behind: _Behind, found: Predictions, temperature: float) -> Calibration:
    """The calibration of softmax(z), from softmax(z / T)."""
    scores = softmax(np.log(np.maximum(found.scores, _LEAST)) * temperature, axis=1)
    return calibration(*behind.statements(Predictions(scores, found.targets)))


def _of_classes(found: Predictions, thresholds: Float64s) -> Figures:
    return _of_counts(_class_counts(found))


def _of_labels(found: Predictions, thresholds: Float64s) -> Figures:
    relevant = found.targets.astype(bool)
    told = found.scores >= thresholds  # N,C
    columns = range(found.scores.shape[1])
    ranked = [mean_average_precision(found.scores[:, [c]], relevant[:, [c]]) for c in columns]
    counts = [_yes_or_no(told[:, c], relevant[:, c]) for c in columns]
    return {
        "average_precision": _floats(ranked),
        "precision": _floats(per_class_precision(each)[1] for each in counts),
        "recall": _floats(per_class_recall(each)[1] for each in counts),
        "f1": _floats(per_class_f1(each)[1] for each in counts),
        "images": _floats(relevant.sum(axis=0)),
    }


def _of_shares(found: Predictions, thresholds: Float64s) -> Figures:
    return {
        "mean_error": _floats(np.abs(found.scores - found.targets).mean(axis=0)),
        "mean_share": _floats(found.targets.mean(axis=0)),
        "mean_told": _floats(found.scores.mean(axis=0)),
        **_of_counts(_dominant_counts(found)),
    }


def _of_counts(counts: Counts) -> Figures:
    return {
        "precision": _floats(per_class_precision(counts)),
        "recall": _floats(per_class_recall(counts)),
        "f1": _floats(per_class_f1(counts)),
        "images": _floats(counts.sum(axis=1)),
    }


def _yes_or_no(told: NDArray[np.bool_], relevant: NDArray[np.bool_]) -> Counts:
    """Counts 2,2 of images by whether a label holds (row) and is told (column)."""
    counts = np.bincount(2 * relevant + told, minlength=4)
    return counts.reshape(2, 2).astype(np.int64)


def _class_counts(found: Predictions) -> Counts:
    return confusion_matrix(found.scores, found.targets)


def _dominant_counts(found: Predictions) -> Counts:
    return confusion_matrix(found.scores, dominant_labels(found.scores, found.targets))


def _first_labels(found: Predictions) -> tuple[Float64s, Float64s]:
    is_right = found.scores.argmax(axis=1) == found.targets
    return found.scores.max(axis=1), is_right.astype(np.float64)


def _all_labels(found: Predictions) -> tuple[Float64s, Float64s]:
    return found.scores.reshape(-1), found.targets.astype(np.float64).reshape(-1)


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


_BEHIND: Mapping[LabelKind, _Behind] = {
    LabelKind.SINGLE: _Behind(_of_classes, _class_counts, _first_labels),
    LabelKind.MULTI: _Behind(_of_labels, None, _all_labels),
    LabelKind.DISTRIBUTION: _Behind(_of_shares, _dominant_counts, _all_labels),
}
