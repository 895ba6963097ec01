"""The bounded queue in front of what decodes and runs images."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from app.drain import DrainRate
from app.errors import DeadlinePassed, QueueFull
from app.inference.task import Done, Hands, Task

T = TypeVar("T")

_Share = deque[Task]
"""What waits of one request."""


class InferenceQueue:
    """Has jobs, one an image, run by `hands`; holds at most `capacity` of them.

    Requests take turns, a job a turn: one of 64 images delays one of a single image by no more
    than another single one would.
    """

    def __init__(self, hands: Hands, *, capacity: int) -> None:
        self._hands = hands
        self._capacity = capacity
        self._lock = threading.Lock()
        self._turns: deque[_Share] = deque()
        self._held = 0
        self._rate = DrainRate()

    @property
    def held(self) -> int:
        """Jobs that wait or run."""
        return self._held

    @property
    def is_served(self) -> bool:
        """Whether there is anything to run jobs."""
        return self._hands.are_there

    def age_s(self) -> float:
        """Seconds that the job waits that has waited longest; 0 where none does."""
        with self._lock:
            since = [share[0].since for share in self._turns if share]
        return time.perf_counter() - min(since) if since else 0.0

    def check_room(self, jobs: int = 1) -> None:
        """Raise QueueFull when there is no room for `jobs` more."""
        if self._held + jobs > self._capacity:
            raise self._full(jobs)

    async def run(self, jobs: Sequence[Callable[[], T]], *, deadline_s: float) -> list[Done[T]]:
        """The jobs' results in their order; all are taken, or none and QueueFull is raised.

        Jobs that no hand has begun are dropped on DeadlinePassed, when one of them raises, and
        when the caller is gone.
        """
        now, future = time.perf_counter(), asyncio.get_running_loop().create_future
        share = _Share(Task(job, future(), now, self._leave) for job in jobs)
        futures: list[asyncio.Future[Done[T]]] = [task.future for task in share]
        self._take(share)
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.gather(*futures)
        except TimeoutError as error:
            raise DeadlinePassed(
                f"no answer within {deadline_s:g} s; send fewer images at once, or try later"
            ) from error
        finally:
            self._drop(share)

    def close(self) -> None:
        """Drop what waits, finish what runs."""
        with self._lock:
            shares = tuple(self._turns)
        for share in shares:
            self._drop(share)
        self._hands.close()

    def _take(self, share: _Share) -> None:
        jobs = len(share)
        with self._lock:
            self.check_room(jobs)
            if self._held == 0:
                self._rate.begin()
            self._held += jobs
            self._turns.append(share)
        for _ in range(jobs):
            self._hands.call(self._next)

    def _drop(self, share: _Share) -> None:
        with self._lock:
            dropped = tuple(share)
            share.clear()
            self._held -= len(dropped)
        for task in dropped:
            task.cancel()

    def _next(self) -> Task | None:
        """The job whose turn it is; none where some were dropped."""
        with self._lock:
            while self._turns:
                share = self._turns.popleft()
                if not share:
                    continue
                task = share.popleft()
                if share:
                    self._turns.append(share)
                return task
        return None

    def _leave(self) -> None:
        with self._lock:
            self._held -= 1
            self._rate.count()

    def _full(self, jobs: int) -> QueueFull:
        seconds = self._rate.whole_seconds(self._held)
        return QueueFull(
            f"{self._held} images are waiting or running and {jobs} more were given, "
            f"but the queue holds {self._capacity}; try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )
