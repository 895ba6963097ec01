"""The stages of a run, told in its events: what is being done, and how far it is."""

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from training.run import RunFolder

T = TypeVar("T")

_EVENT_EVERY_S = 1.0


class Watch(Protocol):
    """Passes the `steps` items of a stage through, and tells how many of them are done."""

    def __call__(self, stage: str, items: Iterable[T], *, steps: int) -> Iterable[T]: ...


def unwatched(stage: str, items: Iterable[T], *, steps: int) -> Iterable[T]:
    """The items, and nobody is told."""
    return items


class Stages:
    """Tells of a run that has `count` stages of about the same length."""

    def __init__(self, run: RunFolder, *, count: int = 1) -> None:
        self._run, self._count = run, count
        self._ended = 0
        self._told_at = 0.0

    def begin(self, stage: str, *, fraction: float) -> None:
        """A stage has begun, and `fraction` of the whole run is done."""
        self._run.event("progress", stage=stage, fraction=fraction)

    def progress(self, stage: str, done: int, steps: int) -> None:
        """`done` of the steps of a stage are done; what follows too fast on another is not told."""
        now = time.monotonic()
        if 0 < done < steps and now - self._told_at < _EVENT_EVERY_S:
            return
        self._told_at = now
        whole = (self._ended + done / max(steps, 1)) / self._count
        self._run.event(
            "progress", stage=stage, step=done, steps=steps, fraction=round(min(whole, 1.0), 6)
        )

    def watch(self, stage: str, items: Iterable[T], *, steps: int) -> Iterator[T]:
        """The items of the next stage."""
        self.progress(stage, 0, steps)
        for done, item in enumerate(items, start=1):
            yield item
            self.progress(stage, done, steps)
        self._ended += 1
