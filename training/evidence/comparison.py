"""Two models on the same images: how much better is one, and could it be chance?

The unit is the image. With several seeds an image has several predictions of each model, which stay
together; a figure is the mean of the seeds' figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from training.errors import TrainingError

CONFIDENCE = 0.95
_BATCH = 64
"""Resamples that are drawn at once; each is as many numbers as there are images."""

Scores = NDArray[np.float64]
Rows = NDArray[np.intp]


class NotPaired(TrainingError):
    """Two models whose predictions are not of the same images."""


class Metric(Protocol):
    """A figure of scores N,K and targets (N or N,K)."""

    def __call__(self, scores: Scores, targets: NDArray[Any], /) -> float: ...


@dataclass(frozen=True, slots=True)
class Pooled:
    """One model's scores N,K of the same N images, one array a seed, and the targets."""

    files: tuple[str, ...]
    scores: tuple[Scores, ...]
    targets: NDArray[Any]

    def figure(self, metric: Metric, rows: Rows | None = None) -> float:
        """Mean of the seeds' figures, of all images or of `rows`."""
        if rows is None:
            return float(np.mean([metric(scores, self.targets) for scores in self.scores]))
        targets = self.targets[rows]
        return float(np.mean([metric(scores[rows], targets) for scores in self.scores]))


@dataclass(frozen=True, slots=True)
class Difference:
    """A model's figure less the other's, with its interval, and how likely chance makes as much."""

    value: float
    low: float
    high: float
    p: float


def interval(
    model: Pooled, metric: Metric, *, draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Bounds of a figure's 95 % percentile interval over images drawn with replacement.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    return _bootstrap(len(model.files), lambda rows: model.figure(metric, rows), draws, rng)


def compared(
    model: Pooled, other: Pooled, metric: Metric, *, draws: int, rng: np.random.Generator
) -> Difference:
    """The difference of two models on the same images; raises NotPaired.

    The interval is the paired bootstrap's: both models see the same resampled images. p is
    two-sided and the permutation test's: an image's predictions by both models change places by
    the toss of a coin (Good, "Permutation Tests", 2000, section 3.1); the data count as a draw.
    """
    _check_paired(model, other)
    count = len(model.files)

    def difference(rows: Rows) -> float:
        return model.figure(metric, rows) - other.figure(metric, rows)

    low, high = _bootstrap(count, difference, draws, rng)
    both = Pooled(
        model.files + other.files,
        tuple(np.concatenate(pair) for pair in zip(model.scores, other.scores, strict=True)),
        np.concatenate([model.targets, other.targets]),
    )
    # Rows of the one model, and of the other: a swapped image takes its row of the other half.
    test = stats.permutation_test(
        (np.arange(count), np.arange(count, 2 * count)),
        lambda mine, theirs: both.figure(metric, mine) - both.figure(metric, theirs),
        permutation_type="samples",
        n_resamples=draws,
        batch=_BATCH,
        rng=rng,
    )
    return Difference(float(test.statistic), low, high, float(test.pvalue))


def holm(values: Sequence[float]) -> list[float]:
    """p values adjusted for being several: Holm, "A Simple Sequentially Rejective ...", 1979."""
    adjusted = [0.0] * len(values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = largest
    return adjusted


def _bootstrap(
    count: int, figure: Any, draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    found = stats.bootstrap(
        (np.arange(count),),
        figure,
        vectorized=False,
        n_resamples=draws,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=rng,
    ).confidence_interval
    return float(found.low), float(found.high)


def _check_paired(model: Pooled, other: Pooled) -> None:
    same = model.files == other.files and np.array_equal(model.targets, other.targets)
    if not same or len(model.scores) != len(other.scores):
        raise NotPaired(
            f"given {len(model.files)} images of {len(model.scores)} seeds and {len(other.files)} "
            f"of {len(other.scores)}; expected the same images, targets and number of seeds"
        )
