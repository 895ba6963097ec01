"""Fitting what turns scores into statements: a temperature and thresholds, on validation data."""

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from training.metrics.checks import (
    Booleans,
    Float64s,
    Floats,
    Integers,
    InvalidMetricInput,
    check_class_ids,
    check_distributions,
    check_finite_matrix,
    check_probabilities,
    check_relevance,
    check_same_shape,
)

TEMPERATURE_RANGE = (0.05, 20.0)
"""Where the temperature is sought: without errors to learn from the best one would be 0."""


def fit_temperature(logits: Floats, targets: Floats) -> float:
    """The T > 0 that minimises the cross-entropy of softmax(logits / T) to the targets, both N,C.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2; targets are
    one-hot rows or distributions. Within TEMPERATURE_RANGE, and 1 where nothing is gained by it.
    """
    nll = _cross_entropy_at(logits, targets)
    # Convex in 1/T, so there is one valley in log T, and a bounded search finds its floor.
    found = minimize_scalar(
        lambda log_t: nll(float(np.exp(log_t))),
        bounds=tuple(np.log(TEMPERATURE_RANGE)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    temperature = float(np.exp(found.x))
    return temperature if nll(temperature) < nll(1.0) else 1.0


def fit_thresholds(probabilities: Floats, targets: Booleans) -> Float64s:
    """For each class the threshold with the highest F1 on this data, C, inside (0, 1).

    Lipton et al., "Optimal Thresholding of Classifiers to Maximize F1 Measure", ECML 2014. Each
    lies midway between neighbouring scores; of equally good ones the nearest to 0.5 is taken, and
    0.5 itself for a class without positives.
    """
    scores = check_probabilities(probabilities)
    relevant = check_relevance(targets, scores)
    return np.array([_best_threshold(scores[:, c], relevant[:, c]) for c in range(scores.shape[1])])


def fit_label_threshold(probabilities: Floats, targets: Integers, *, coverage: float) -> float:
    """The score from which on labels join a set that holds the true one at `coverage`; in [0, 1].

    Split conformal prediction with least ambiguous sets: of the true class's probabilities of N
    images the ceil((N + 1) coverage)-th from the top (Sadinle, Lei and Wasserman, "Least Ambiguous
    Set-Valued Classifiers with Bounded Error Levels", JASA 2019; Angelopoulos and Bates, "A Gentle
    Introduction to Conformal Prediction", 2021, section 1). 0, and so every label, where N is too
    small for the coverage.
    """
    if not 0 < coverage < 1:
        raise InvalidMetricInput(f"coverage {coverage} given, expected a share between 0 and 1")
    scores = check_probabilities(probabilities)
    truth = check_class_ids(targets, scores)
    falling = np.sort(scores[np.arange(len(truth)), truth])[::-1]
    rank = math.ceil((len(falling) + 1) * coverage)
    return float(falling[rank - 1]) if rank <= len(falling) else 0.0


def label_set_figures(
    probabilities: Floats, targets: Integers, *, threshold: float
) -> tuple[float, float]:
    """Share of N images whose set holds the true class, and the sets' mean size.

    A set is the labels at or above `threshold`, or the first alone where none is.
    """
    scores = check_probabilities(probabilities)
    truth = check_class_ids(targets, scores)
    members = scores >= threshold  # N,C
    rows = np.arange(len(truth))
    members[rows, scores.argmax(axis=1)] = True
    return float(members[rows, truth].mean()), float(members.sum(axis=1).mean())


def _cross_entropy_at(logits: Floats, targets: Floats) -> Callable[[float], float]:
    check_same_shape(np.asarray(targets), np.asarray(logits))
    z, p = check_finite_matrix(logits), check_distributions(targets)
    return lambda temperature: float(-(p * log_softmax(z / temperature, axis=1)).sum(axis=1).mean())


def _best_threshold(scores: Float64s, relevant: Booleans) -> float:
    """Best threshold for one class, from scores N and truth N."""
    if not relevant.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # one a distinct score
    f1 = 2 * np.cumsum(relevant[order])[last] / (last + 1 + np.count_nonzero(relevant))
    thresholds = _midpoints(ranked[last])
    usable = (thresholds > 0) & (thresholds < 1)
    if not usable.any():
        return 0.5
    best = thresholds[usable & (f1 == f1[usable].max())]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _midpoints(falling: Float64s) -> Float64s:
    """For each of falling scores the value midway to the next, the last one's next being 0."""
    lower = np.append(falling[1:], 0.0)
    middle = (falling + lower) / 2
    # Of two neighbouring floats the middle rounds to either; the lower would let both pass.
    return np.where(middle > lower, middle, falling)
