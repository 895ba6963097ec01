"""How fast a queue gets its work done, measured while it has any."""

import math
import time
from collections import deque
from collections.abc import Callable

_WINDOW = 64
"""Jobs looked back on: half a second of a busy CPU."""


class DrainRate:
    """Jobs finished a second since the queue was last empty, over the latest of them."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=_WINDOW + 1)

    def begin(self) -> None:
        """The queue was empty and is no longer."""
        self._times.clear()
        self._times.append(self._clock())

    def count(self) -> None:
        """A job was finished."""
        self._times.append(self._clock())

    def whole_seconds(self, jobs: int) -> int:
        """Seconds that `jobs` will take, rounded up, at least 1; 1 while nothing is measured."""
        times = tuple(self._times)
        if len(times) < 2:
            return 1
        elapsed = self._clock() - times[0]
        return max(1, math.ceil(jobs * elapsed / (len(times) - 1)))
