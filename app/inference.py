"""The bounded queue in front of the threads that decode and run images."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from app.drain import DrainRate
from app.errors import DeadlinePassed, QueueFull

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """A job's value, and the seconds that it waited for a thread and then ran."""

    value: T
    since: float
    """When it came, on the clock of `time.perf_counter`."""

    waited_s: float
    ran_s: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A job that no thread has begun."""

    job: Callable[[], Any]
    future: "Future[Any]"
    since: float


_Share = deque[_Waiting]
"""What waits of one request."""


class InferenceQueue:
    """Runs jobs, one an image, on `workers` threads; holds at most `capacity` of them.

    Requests take turns, a job a turn: one of 64 images delays one of a single image by no more
    than another single one would.
    """

    def __init__(self, *, workers: int, capacity: int) -> None:
        self._capacity = capacity
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="inference")
        self._lock = threading.Lock()
        self._turns: deque[_Share] = deque()
        self._held = 0
        self._rate = DrainRate()

    @property
    def held(self) -> int:
        """Jobs that wait or run."""
        return self._held

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

        Jobs that no thread has begun are dropped on DeadlinePassed, when one of them raises, and
        when the caller is gone.
        """
        now = time.perf_counter()
        share = _Share(_Waiting(job, Future(), now) for job in jobs)
        futures: list[Future[Done[T]]] = [waiting.future for waiting in share]
        self._take(share)
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.gather(*map(asyncio.wrap_future, futures))
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
        self._pool.shutdown(cancel_futures=True)

    def _take(self, share: _Share) -> None:
        jobs = len(share)
        with self._lock:
            self.check_room(jobs)
            if self._held == 0:
                self._rate.begin()
            self._held += jobs
            self._turns.append(share)
        for _ in range(jobs):
            self._pool.submit(self._run_next)

    def _drop(self, share: _Share) -> None:
        with self._lock:
            dropped = tuple(share)
            share.clear()
            self._held -= len(dropped)
        for waiting in dropped:
            waiting.future.cancel()

    def _next(self) -> _Waiting | None:
        """The job whose turn it is; none where some were dropped."""
        with self._lock:
            while self._turns:
                share = self._turns.popleft()
                if not share:
                    continue
                waiting = share.popleft()
                if share:
                    self._turns.append(share)
                return waiting
        return None

    def _run_next(self) -> None:
        waiting = self._next()
        if waiting is None:
            return
        wanted = waiting.future.set_running_or_notify_cancel()
        settle = _run(waiting) if wanted else None
        with self._lock:  # before the caller knows: its next request finds the place free
            self._held -= 1
            self._rate.count()
        if settle is not None:
            settle()

    def _full(self, jobs: int) -> QueueFull:
        seconds = self._rate.whole_seconds(self._held)
        return QueueFull(
            f"{self._held} images are waiting or running and {jobs} more were given, "
            f"but the queue holds {self._capacity}; try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )


def _run(waiting: _Waiting) -> Callable[[], None]:
    """Run a job; what is returned gives its result, or what it raised, to whoever waits."""
    began = time.perf_counter()
    try:
        value = waiting.job()
    except BaseException as error:  # the boundary of the thread: it goes on in the caller
        return partial(waiting.future.set_exception, error)
    ended = time.perf_counter()
    done = Done(value, since=waiting.since, waited_s=began - waiting.since, ran_s=ended - began)
    return partial(waiting.future.set_result, done)
