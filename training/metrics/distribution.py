"""How close a predicted label distribution is to the true one.

Definitions follow Geng, "Label Distribution Learning", TKDE 2016, table 1; q is the predicted and
p the true distribution over C labels. Every value is the mean over the samples, and 0/0 is 0.
"""

import numpy as np

from training.metrics.checks import (
    Float64s,
    Floats,
    Integers,
    check_distributions,
    check_same_shape,
)

KL_EPSILON = 1e-12
"""Smallest predicted share that the KL divergence reckons with."""


def distribution_metrics(predicted: Floats, target: Floats) -> dict[str, float]:
    """Every metric of this module by name, for two arrays N,C whose rows sum to 1."""
    return {
        "chebyshev": chebyshev(predicted, target),
        "clark_raw": clark_raw(predicted, target),
        "clark_normalized": clark_normalized(predicted, target),
        "canberra_raw": canberra_raw(predicted, target),
        "canberra_normalized": canberra_normalized(predicted, target),
        "kl": kl(predicted, target),
        "cosine": cosine(predicted, target),
        "intersection": intersection(predicted, target),
        "dominant_accuracy": dominant_accuracy(predicted, target),
    }


def chebyshev(predicted: Floats, target: Floats) -> float:
    """Largest difference of a share, max_c |p_c - q_c|; in [0, 1], lower is better."""
    q, p = _checked(predicted, target)
    return float(np.abs(p - q).max(axis=1).mean())


def clark_raw(predicted: Floats, target: Floats) -> float:
    """Clark distance, sqrt(sum_c ((p_c - q_c) / (p_c + q_c))^2); in [0, sqrt(C)], lower is better.

    The convention of Geng 2016, table 1; a label that neither distribution holds adds 0.
    """
    q, p = _checked(predicted, target)
    return float(np.sqrt((_relative_differences(q, p) ** 2).sum(axis=1)).mean())


def clark_normalized(predicted: Floats, target: Floats) -> float:
    """Clark distance divided by sqrt(C); in [0, 1], lower is better.

    The other convention in print, comparable between label sets; published as plain "Clark".
    """
    return clark_raw(predicted, target) / float(np.sqrt(np.shape(predicted)[1]))


def canberra_raw(predicted: Floats, target: Floats) -> float:
    """Canberra distance, sum_c |p_c - q_c| / (p_c + q_c); in [0, C], lower is better.

    The convention of Geng 2016, table 1; a label that neither distribution holds adds 0.
    """
    q, p = _checked(predicted, target)
    return float(_relative_differences(q, p).sum(axis=1).mean())


def canberra_normalized(predicted: Floats, target: Floats) -> float:
    """Canberra distance divided by C; in [0, 1], lower is better.

    The other convention in print, comparable between label sets; published as plain "Canberra".
    """
    return canberra_raw(predicted, target) / int(np.shape(predicted)[1])


def kl(predicted: Floats, target: Floats) -> float:
    """Kullback-Leibler divergence in nats, sum_c p_c ln(p_c / q_c); from 0, lower is better.

    Geng 2016, table 1. 0 ln 0 is 0; q is raised to KL_EPSILON, so that a label ruled out in error
    costs p ln(p / KL_EPSILON) and not infinity.
    """
    q, p = _checked(predicted, target)
    held = np.where(p > 0, p, 1)
    terms = p * (np.log(held) - np.log(np.maximum(q, KL_EPSILON)))  # N,C
    return float(terms.sum(axis=1).mean())


def cosine(predicted: Floats, target: Floats) -> float:
    """Cosine similarity, p.q / (|p| |q|); in [0, 1], higher is better."""
    q, p = _checked(predicted, target)
    lengths = np.linalg.norm(p, axis=1) * np.linalg.norm(q, axis=1)
    return float(((p * q).sum(axis=1) / lengths).mean())


def intersection(predicted: Floats, target: Floats) -> float:
    """Shared mass, sum_c min(p_c, q_c); in [0, 1], higher is better."""
    q, p = _checked(predicted, target)
    return float(np.minimum(p, q).sum(axis=1).mean())


def dominant_accuracy(predicted: Floats, target: Floats) -> float:
    """Share of samples whose largest predicted share is on a dominant label; higher is better.

    In [0, 1]. Where labels tie for the largest true share, each of them is right; where they tie
    for the largest predicted share, the first is the prediction.
    """
    told = np.asarray(predicted).argmax(axis=1)
    return float(np.mean(told == dominant_labels(predicted, target)))


def dominant_labels(predicted: Floats, target: Floats) -> Integers:
    """Class id of each sample's dominant label, N.

    Of labels that tie for the largest true share it is the predicted one, if that is among them,
    else the first.
    """
    q, p = _checked(predicted, target)
    told = q.argmax(axis=1)
    is_right = p[np.arange(len(p)), told] == p.max(axis=1)
    return np.asarray(np.where(is_right, told, p.argmax(axis=1)))


def _relative_differences(q: Float64s, p: Float64s) -> Float64s:
    total = p + q
    # Where the total is 0 so is the difference, and 0/1 is the 0 that 0/0 is defined as.
    return np.asarray(np.abs(p - q) / np.where(total > 0, total, 1), dtype=np.float64)


def _checked(predicted: Floats, target: Floats) -> tuple[Float64s, Float64s]:
    check_same_shape(np.asarray(target), np.asarray(predicted))
    return check_distributions(predicted), check_distributions(target)
