"""What every metric demands of its arrays, and the facts it reports when they differ."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Booleans = NDArray[np.bool_]
Float64s = NDArray[np.float64]

RANGE_TOLERANCE = 1e-6
"""How far outside [0, 1] rounding may put a probability."""

SUM_TOLERANCE = 1e-4
"""How far from 1 the sum of a distribution may lie."""


class InvalidMetricInput(TrainingError, ValueError):
    """Arrays that a metric is not defined for."""


class ShapeMismatch(InvalidMetricInput):
    """Arrays whose shapes do not belong together."""


class EmptyInput(InvalidMetricInput):
    """Arrays without a single sample or class."""


class NotAProbability(InvalidMetricInput):
    """Scores that are NaN or outside [0, 1]."""


class NotADistribution(InvalidMetricInput):
    """Rows that do not sum to 1."""


class NotAClassId(InvalidMetricInput):
    """Targets that are no class ids."""


class NotBinary(InvalidMetricInput):
    """Targets other than 0 and 1."""


def check_probabilities(values: Floats) -> Float64s:
    """`values` as float64 N,C, each within [0, 1]."""
    probabilities = np.asarray(values, dtype=np.float64)
    _check_matrix(probabilities)
    # Written so that NaN, which compares false, is outside too.
    inside = (probabilities >= -RANGE_TOLERANCE) & (probabilities <= 1 + RANGE_TOLERANCE)
    if not inside.all():
        raise NotAProbability(
            f"{np.count_nonzero(~inside)} of {inside.size} scores are NaN or outside [0, 1],"
            f" the first is {probabilities[~inside][0]}; give probabilities, not logits"
        )
    return probabilities


def check_distributions(values: Floats) -> Float64s:
    """`values` as float64 N,C, each row within rounding of a sum of 1 and scaled to it."""
    probabilities = np.clip(check_probabilities(values), 0, 1)
    sums = probabilities.sum(axis=1, keepdims=True)  # N,1
    wrong = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
    if wrong.size:
        raise NotADistribution(
            f"{wrong.size} of {sums.size} rows do not sum to 1, row {wrong[0]} sums to"
            f" {float(sums[wrong[0], 0]):.6g}; divide each row by its sum"
        )
    return np.asarray(probabilities / sums, dtype=np.float64)


def check_class_ids(targets: Integers, probabilities: Float64s) -> Integers:
    """`targets` as N class ids, each naming a column of `probabilities` (N,C)."""
    ids = np.asarray(targets)
    samples, classes = probabilities.shape
    if ids.shape != (samples,):
        raise ShapeMismatch(
            f"targets have shape {ids.shape}, expected ({samples},); give one class id a sample"
        )
    if not np.issubdtype(ids.dtype, np.integer):
        raise NotAClassId(f"targets are {ids.dtype}, expected integers; give class ids")
    wrong = ids[(ids < 0) | (ids >= classes)]
    if wrong.size:
        raise NotAClassId(
            f"{wrong.size} targets lie outside 0..{classes - 1}, the first is {wrong[0]};"
            " leave samples without a label out"
        )
    return ids


def check_relevance(targets: Booleans, probabilities: Float64s) -> Booleans:
    """`targets` as booleans of the shape of `probabilities`."""
    relevance = np.asarray(targets)
    check_same_shape(relevance, probabilities)
    if not np.isin(relevance, (0, 1)).all():
        raise NotBinary("targets hold values other than 0 and 1; give one truth value a label")
    return relevance.astype(np.bool_)


def check_thresholds(thresholds: Floats, probabilities: Float64s) -> Float64s:
    """`thresholds` as C numbers, one for each column of `probabilities` (N,C)."""
    limits = np.asarray(thresholds, dtype=np.float64)
    classes = probabilities.shape[1]
    if limits.shape != (classes,):
        raise ShapeMismatch(
            f"thresholds have shape {limits.shape}, expected ({classes},); give one a label"
        )
    if np.isnan(limits).any():
        raise NotAProbability("a threshold is NaN; give 0.5 where none was fitted")
    return limits


def check_same_shape(targets: NDArray[Any], values: NDArray[Any]) -> None:
    """Raise ShapeMismatch unless both have one shape."""
    if targets.shape != values.shape:
        raise ShapeMismatch(
            f"targets have shape {targets.shape}, expected {values.shape} like the predictions;"
            " give both as samples by classes"
        )


def check_finite_matrix(values: Floats) -> Float64s:
    """`values` as finite float64 N,C: logits."""
    matrix = np.asarray(values, dtype=np.float64)
    _check_matrix(matrix)
    if not np.isfinite(matrix).all():
        raise InvalidMetricInput(
            f"{np.count_nonzero(~np.isfinite(matrix))} of {matrix.size} logits are NaN or"
            " infinite; give finite logits"
        )
    return matrix


def _check_matrix(values: NDArray[Any]) -> None:
    if values.ndim != 2:
        raise ShapeMismatch(
            f"scores have shape {values.shape}, expected samples by classes;"
            " give one sample as a row of a matrix"
        )
    if values.size == 0:
        raise EmptyInput(
            f"scores have shape {values.shape}, expected at least one sample and one class;"
            " evaluate on data that has this kind of label"
        )
