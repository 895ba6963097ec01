"""The bounded queue in front of the threads that decode and run images."""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.errors import DeadlinePassed, QueueFull

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """A job's value, and the seconds that it waited for a thread and then ran."""

    value: T
    waited_s: float
    ran_s: float


class InferenceQueue:
    """Runs jobs, one an image, on `workers` threads; holds at most `capacity` of them."""

    def __init__(self, *, workers: int, capacity: int) -> None:
        self._workers = workers
        self._capacity = capacity
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="inference")
        self._lock = threading.Lock()
        self._held = 0
        self._usual_s = 0.0

    def check_room(self, jobs: int = 1) -> None:
        """Raise QueueFull when there is no room for `jobs` more."""
        if self._held + jobs > self._capacity:
            raise self._full(jobs)

    async def run(self, jobs: Sequence[Callable[[], T]], *, deadline_s: float) -> list[Done[T]]:
        """The jobs' results in their order; all are taken, or none and QueueFull is raised.

        Jobs that no thread has begun are dropped on DeadlinePassed and when the caller is gone.
        """
        self._take(len(jobs))
        futures = [self._submit(job) for job in jobs]
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.gather(*map(asyncio.wrap_future, futures))
        except TimeoutError as error:
            raise DeadlinePassed(
                f"no answer within {deadline_s:g} s; send fewer images at once, or try later"
            ) from error
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Drop what waits, finish what runs."""
        self._pool.shutdown(cancel_futures=True)

    def _take(self, jobs: int) -> None:
        with self._lock:
            self.check_room(jobs)
            self._held += jobs

    def _submit(self, job: Callable[[], T]) -> "Future[Done[T]]":
        future = self._pool.submit(_timed, job, submitted=time.perf_counter())
        future.add_done_callback(self._give_back)
        return future

    def _give_back(self, future: "Future[Done[T]]") -> None:
        with self._lock:
            self._held -= 1
            if not future.cancelled() and future.exception() is None:
                self._usual_s += 0.1 * (future.result().ran_s - self._usual_s)

    def _full(self, jobs: int) -> QueueFull:
        seconds = max(1, math.ceil(self._held * self._usual_s / self._workers))
        return QueueFull(
            f"{self._held} images are waiting or running and {jobs} more were given, "
            f"but the queue holds {self._capacity}; try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )


def _timed(job: Callable[[], T], *, submitted: float) -> Done[T]:
    began = time.perf_counter()
    value = job()
    return Done(value, waited_s=began - submitted, ran_s=time.perf_counter() - began)
