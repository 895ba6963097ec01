"""A model's numbers with names to them: pure functions from arrays to answers."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from app.schemas import ConformalSet, Distribution, Multi, MultiScore, Score, Single
from models.labels import LabelKind
from models.manifest import LabelThreshold, Output

Scores = NDArray[np.float32]
Answer = Single | Multi | Distribution


def answer(output: Output, scores: Scores, *, top_k: int | None) -> Answer:
    """The answer of one output for one image's `scores` (K)."""
    return _ANSWERS[output.kind](output, scores, top_k=top_k)


def conformal_set(output: Output, scores: Scores, label_set: LabelThreshold) -> ConformalSet:
    """The labels that reach the set's threshold, or the first alone, highest first."""
    ranked = _ranked(output, scores)
    labels = [each.label for each in ranked if each.score >= label_set.threshold]
    return ConformalSet(coverage=label_set.coverage, labels=labels or [ranked[0].label])


def shortest(value: np.float32) -> float:
    """The number of the fewest digits that is this float32 and no other."""
    return float(str(value))


def entropy(shares: Scores) -> float:
    """Entropy of a distribution, in nats."""
    positive = shares[shares > 0].astype(np.float64)
    return float(-(positive * np.log(positive)).sum()) + 0.0


def _single(output: Output, scores: Scores, *, top_k: int | None) -> Single:
    ranked = _ranked(output, scores)
    return Single(label=ranked[0].label, score=ranked[0].score, scores=ranked[:top_k])


def _distribution(output: Output, scores: Scores, *, top_k: int | None) -> Distribution:
    ranked = _ranked(output, scores)
    return Distribution(dominant=ranked[0].label, entropy=entropy(scores), scores=ranked[:top_k])


def _multi(output: Output, scores: Scores, *, top_k: int | None) -> Multi:
    thresholds = dict(zip(output.labels.names, output.thresholds or (), strict=True))
    ranked = [
        MultiScore(
            label=score.label,
            score=score.score,
            threshold=thresholds[score.label],
            selected=score.score >= thresholds[score.label],
        )
        for score in _ranked(output, scores)
    ]
    return Multi(labels=[each.label for each in ranked if each.selected], scores=ranked[:top_k])


def _ranked(output: Output, scores: Scores) -> list[Score]:
    """Scores from the highest to the lowest; equal ones stay in the order of the labels."""
    order = np.argsort(-scores, kind="stable")
    return [Score(label=output.labels.names[i], score=shortest(scores[i])) for i in order]


_ANSWERS: Mapping[LabelKind, Callable[..., Answer]] = {
    LabelKind.SINGLE: _single,
    LabelKind.MULTI: _multi,
    LabelKind.DISTRIBUTION: _distribution,
}
