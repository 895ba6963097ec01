"""Temperatures, thresholds and label sets of every head, fitted on validation data."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.labels import LabelKind
from models.manifest import LabelThreshold, Output
from training.calibration import fit_label_threshold, fit_temperature, fit_thresholds
from training.errors import TrainingError
from training.evaluation import Predictions, probabilities
from training.network import SentimentNetwork

COVERAGES = (0.8, 0.9, 0.95)
"""Of the label sets that a single output gets."""

_CLOSEST = 1e-6
"""Thresholds stay this far from 0 and 1."""


class NothingToCalibrate(TrainingError):
    """A head has no validation sample to fit its temperature or thresholds on."""


def calibrated_outputs(
    network: SentimentNetwork, logits: Mapping[LabelKind, Predictions]
) -> tuple[Output, ...]:
    """The manifest's outputs: softmax heads get a temperature, multi-label heads thresholds."""
    missing = [str(kind) for kind in network.label_sets if kind not in logits]
    if missing:
        raise NothingToCalibrate(
            f"the validation split has no sample with {', '.join(missing)} labels; "
            "temperature and thresholds are fitted there"
        )
    return tuple(_output(network, kind, logits[kind]) for kind in network.label_sets)


def fitted(kind: LabelKind, found: Predictions) -> tuple[float, tuple[float, ...] | None]:
    """Temperature and thresholds of a head from its logits; each where the kind has it."""
    if kind is LabelKind.MULTI:
        thresholds = fit_thresholds(probabilities(kind, found.scores), found.targets.astype(bool))
        return 1.0, tuple(float(value) for value in thresholds.clip(_CLOSEST, 1 - _CLOSEST))
    classes = found.scores.shape[1]
    rows = np.eye(classes)[found.targets] if found.targets.ndim == 1 else found.targets
    return fit_temperature(found.scores, rows), None


def _output(network: SentimentNetwork, kind: LabelKind, found: Predictions) -> Output:
    labels = network.label_sets[kind]
    temperature, thresholds = fitted(kind, found)
    label_sets: tuple[LabelThreshold, ...] = ()
    if kind is LabelKind.SINGLE:
        scores = probabilities(kind, found.scores / temperature)
        label_sets = tuple(_label_set(scores, found, coverage) for coverage in COVERAGES)
    return Output(
        kind=kind,
        labels=labels,
        bias=tuple(network.head(kind).linear.bias.tolist()),
        temperature=temperature,
        thresholds=thresholds,
        label_sets=label_sets,
    )


def _label_set(scores: NDArray[np.float64], found: Predictions, coverage: float) -> LabelThreshold:
    threshold = fit_label_threshold(scores, found.targets, coverage=coverage)
    return LabelThreshold(coverage=coverage, threshold=threshold)
