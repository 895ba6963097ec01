"""Steps to be timed, with everything around them and bare, and the rates of several in turn."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from bench.learners import TimedLearner
from training.compute import Compute
from training.stepper import Stepper

Step = Callable[[], int]
"""Takes one step; returns how many images it saw."""


class Rates(NamedTuple):
    """Images per second of several ways to take a step, a row a round."""

    rounds: tuple[tuple[float, ...], ...]

    def median(self, way: int) -> float:
        """Images per second of a way."""
        return statistics.median(rates[way] for rates in self.rounds)

    def ratio(self, way: int, to: int) -> float:
        """How much faster `way` is than `to`: the median over rounds, which saw the same load."""
        return statistics.median(rates[way] / rates[to] for rates in self.rounds)


def interleaved(ways: Sequence[Step], *, rounds: int, steps: int, warm_up: int) -> Rates:
    """Time the ways in turn; before each turn `warm_up` steps are not timed.

    A loader fills its queues while others have their turn: the warm-up empties them again.
    """
    return Rates(
        tuple(
            tuple(_rate(way, steps=steps, warm_up=warm_up) for way in ways) for _ in range(rounds)
        )
    )


def full_step(learner: TimedLearner, stepper: Stepper[Any]) -> Step:
    """Decode, augment, collate, move and train, as in a run."""
    batches = iter(learner.batches(0, 0))
    learner.start_epoch()

    def step() -> int:
        delivered = next(batches)
        stepper.gradients([delivered.batch])
        stepper.move_weights()
        return delivered.images

    return step


def bare_step(learner: TimedLearner, stepper: Stepper[Any], *, compute: Compute) -> Step:
    """Train on one batch that lies ready where it is needed."""
    delivered = next(iter(learner.batches(0, 0)))
    ready = compute.move(delivered.batch)
    learner.start_epoch()

    def step() -> int:
        stepper.gradients([ready])
        stepper.move_weights()
        return delivered.images

    return step


def _rate(step: Step, *, steps: int, warm_up: int) -> float:
    for _ in range(warm_up):
        step()
    _wait()
    started = time.perf_counter()
    images = sum(step() for _ in range(steps))
    _wait()
    return images / (time.perf_counter() - started)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
