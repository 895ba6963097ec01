"""Images of several requests that run together, where the device gains from that."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.runtime import Arrays

Pixels = NDArray[np.float32]
RunBatch = Callable[[Pixels, Sequence[str]], Arrays]
"""Named arrays B,... for images B,3,H,W; called from several threads."""

_RUNS_AT_ONCE = 2
"""While one batch computes, the next is copied to the device."""


@dataclass(frozen=True, slots=True)
class _Item:
    """An image that waits, and what is wanted of it."""

    pixels: Pixels  # 3,H,W
    names: tuple[str, ...]
    future: "Future[Arrays]"
    since: float


class Batcher:
    """Gathers images while a batch runs, and never while none does.

    A batch goes when nothing runs, when it is full, or when its oldest image has waited for `age_s`
    (then beside the one that runs).
    """

    def __init__(self, run: RunBatch, *, size: int, age_s: float) -> None:
        self._run = run
        self._size = size
        self._age_s = age_s
        self._changed = threading.Condition()
        self._waiting: deque[_Item] = deque()
        self._running = 0
        self._closed = False
        self._threads = tuple(
            threading.Thread(target=self._work, name=f"batch-{place}", daemon=True)
            for place in range(_RUNS_AT_ONCE)
        )
        for thread in self._threads:
            thread.start()

    def run(self, pixels: Pixels, names: Sequence[str]) -> Arrays:
        """One image's arrays, without the batch axis; waits for them in the calling thread."""
        return self.submit(pixels, names).result()

    def submit(self, pixels: Pixels, names: Sequence[str]) -> "Future[Arrays]":
        """The arrays to come of one image 3,H,W."""
        item = _Item(pixels, tuple(names), Future(), time.monotonic())
        with self._changed:
            closed = self._closed
            if not closed:
                self._waiting.append(item)
                self._changed.notify()
        if closed:
            _run_together(self._run, [item])
        return item.future

    def close(self) -> None:
        """Finish what waits; what still comes runs alone, in the thread that asks."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while batch := self._take():
            try:
                _run_together(self._run, batch)
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify()

    def _take(self) -> list[_Item]:
        """The next batch, once it is to go; none when all is done and closed."""
        with self._changed:
            while not self._is_due():
                if self._closed and not self._waiting:
                    return []
                self._changed.wait(self._patience())
            self._running += 1
            count = min(self._size, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]

    def _is_due(self) -> bool:
        if not self._waiting:
            return False
        idle, full = self._running == 0, len(self._waiting) >= self._size
        return idle or full or self._patience() == 0

    def _patience(self) -> float | None:
        """Seconds until the oldest image has waited long enough; none without an image."""
        if not self._waiting:
            return None
        return max(0.0, self._waiting[0].since + self._age_s - time.monotonic())


def _run_together(run: RunBatch, batch: Sequence[_Item]) -> None:
    """Run a batch once, for all that any of it wants; an error is the error of each."""
    names = tuple(dict.fromkeys(name for item in batch for name in item.names))
    try:
        arrays = run(np.stack([item.pixels for item in batch]), names)
    except BaseException as error:  # the boundary of the thread: it goes on in the callers
        for item in batch:
            item.future.set_exception(error)
        return
    for place, item in enumerate(batch):
        item.future.set_result({name: arrays[name][place] for name in item.names})
