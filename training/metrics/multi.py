"""How well any number of labels is told: by threshold and by rank.

Definitions follow Zhang and Zhou, "A Review on Multi-Label Learning Algorithms", TKDE 2014,
section 2.2, unless stated otherwise. A label is predicted where its probability reaches its
threshold.
"""

import numpy as np
from numpy.typing import NDArray

from training.metrics.checks import (
    Booleans,
    Float64s,
    Floats,
    check_probabilities,
    check_relevance,
    check_thresholds,
)


def multi_metrics(
    probabilities: Floats, targets: Booleans, *, thresholds: Floats
) -> dict[str, float]:
    """Every metric of this module by name, for probabilities N,C, targets N,C and thresholds C."""
    return {
        "mean_average_precision": mean_average_precision(probabilities, targets),
        "ranking_loss": ranking_loss(probabilities, targets),
        "one_error": one_error(probabilities, targets),
        "coverage": coverage(probabilities, targets),
        "hamming_loss": hamming_loss(probabilities, targets, thresholds=thresholds),
        "micro_f1": micro_f1(probabilities, targets, thresholds=thresholds),
        "macro_f1": macro_f1(probabilities, targets, thresholds=thresholds),
    }


def mean_average_precision(probabilities: Floats, targets: Booleans) -> float:
    """Mean average precision over the classes with a positive; in [0, 1], higher is better.

    AP_c = sum_k (R_k - R_{k-1}) P_k, with recall R_k and precision P_k of class c down to its k-th
    distinct score, not interpolated: scikit-learn's average_precision_score. This averages over
    classes, unlike the "average precision" of Zhang and Zhou, which averages over samples.
    Classes without a positive sample are left out; 0 if that leaves none.
    """
    scores, relevant = _checked(probabilities, targets)
    columns = np.flatnonzero(relevant.any(axis=0))
    precisions = [_average_precision(scores[:, c], relevant[:, c]) for c in columns]
    return float(np.mean(precisions)) if precisions else 0.0


def ranking_loss(probabilities: Floats, targets: Booleans) -> float:
    """Mean share of label pairs in the wrong order; in [0, 1], lower is better.

    Pairs of a label that holds and one that does not, wrong
    if the first does not score strictly higher. A sample of which no label or every label holds
    has no pairs and counts as 0.
    """
    scores, relevant = _checked(probabilities, targets)
    held = relevant.sum(axis=1)  # N
    pairs = held * (relevant.shape[1] - held)
    wrong = np.zeros(len(scores))
    # By column: all pairs at once would take N,C,C of memory.
    for column in range(scores.shape[1]):
        above = (scores >= scores[:, [column]]) & ~relevant  # N,C
        wrong += np.where(relevant[:, column], above.sum(axis=1), 0)
    return float(np.mean(wrong / np.maximum(pairs, 1)))


def one_error(probabilities: Floats, targets: Booleans) -> float:
    """Share of samples whose top-ranked label does not hold; in [0, 1], lower is better.

    Over the samples of which at least one label holds, 0 if
    there are none; among equal scores the first label ranks highest.
    """
    scores, relevant = _labelled(*_checked(probabilities, targets))
    hit = relevant[np.arange(len(scores)), scores.argmax(axis=1)]
    return float(np.mean(~hit)) if hit.size else 0.0


def coverage(probabilities: Floats, targets: Booleans) -> float:
    """Mean steps down the ranking until every label that holds is met; lower is better.

    The largest rank of a label that holds, minus 1, not divided by C, hence in [0, C - 1]; on such
    samples scikit-learn's coverage_error minus 1. Labels of one score share the lowest
    rank. Over the samples of which at least one label holds, 0 if there are none.
    """
    scores, relevant = _labelled(*_checked(probabilities, targets))
    weakest = np.where(relevant, scores, np.inf).min(axis=1, keepdims=True)  # N,1
    steps = (scores >= weakest).sum(axis=1) - 1
    return float(steps.mean()) if steps.size else 0.0


def hamming_loss(probabilities: Floats, targets: Booleans, *, thresholds: Floats) -> float:
    """Share of the N * C single decisions that are wrong; in [0, 1], lower is better.

    |predicted xor true| / (N C).
    """
    predicted, relevant = _predicted(probabilities, targets, thresholds=thresholds)
    return float(np.mean(predicted ^ relevant))


def micro_f1(probabilities: Floats, targets: Booleans, *, thresholds: Floats) -> float:
    """F1 of all N * C decisions pooled; in [0, 1], higher is better.

    2 TP / (2 TP + FP + FN); 0 if nothing holds or is predicted.
    """
    predicted, relevant = _predicted(probabilities, targets, thresholds=thresholds)
    hits = int((predicted & relevant).sum())
    marked = int(predicted.sum() + relevant.sum())
    return 2 * hits / max(marked, 1)


def macro_f1(probabilities: Floats, targets: Booleans, *, thresholds: Floats) -> float:
    """Mean over the classes of their F1; in [0, 1], higher is better.

    Mean of 2 TP_c / (2 TP_c + FP_c + FN_c). A class that neither holds nor is predicted anywhere
    says nothing and is left out; 0 if that leaves none.
    """
    predicted, relevant = _predicted(probabilities, targets, thresholds=thresholds)
    hits = (predicted & relevant).sum(axis=0)  # C
    marked = predicted.sum(axis=0) + relevant.sum(axis=0)  # C
    occurs = marked > 0
    return float(np.mean(2 * hits[occurs] / marked[occurs])) if occurs.any() else 0.0


def _average_precision(scores: Float64s, relevant: Booleans) -> float:
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # Samples of one score cannot be told apart, so the curve only has a point after each group.
    last: NDArray[np.intp] = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum(relevant[order])[last]
    precision = hits / (last + 1)
    gained = np.diff(hits, prepend=0)
    return float(np.sum(gained * precision) / hits[-1])


def _checked(probabilities: Floats, targets: Booleans) -> tuple[Float64s, Booleans]:
    scores = check_probabilities(probabilities)
    return scores, check_relevance(targets, scores)


def _labelled(scores: Float64s, relevant: Booleans) -> tuple[Float64s, Booleans]:
    some = relevant.any(axis=1)
    return scores[some], relevant[some]


def _predicted(
    probabilities: Floats, targets: Booleans, *, thresholds: Floats
) -> tuple[Booleans, Booleans]:
    scores, relevant = _checked(probabilities, targets)
    return scores >= check_thresholds(thresholds, scores), relevant
