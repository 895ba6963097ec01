import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from app.errors import DeadlinePassed, QueueFull
from app.inference.queue import InferenceQueue
from app.inference.threads import ThreadHands


@pytest.fixture
def queue() -> Iterator[InferenceQueue]:
    opened = InferenceQueue(ThreadHands(2), capacity=4)
    yield opened
    opened.close()


def test_results_come_in_the_order_of_the_jobs(queue: InferenceQueue) -> None:
    def slow_first() -> int:
        time.sleep(0.05)
        return 1

    done = asyncio.run(queue.run([slow_first, lambda: 2, lambda: 3], deadline_s=5))
    assert [each.value for each in done] == [1, 2, 3]
    assert done[0].ran_s >= 0.05
    assert all(each.waited_s >= 0 for each in done)


def test_jobs_run_on_as_many_threads_as_there_are_workers(queue: InferenceQueue) -> None:
    both = threading.Barrier(2, timeout=5)
    asyncio.run(queue.run([both.wait, both.wait], deadline_s=5))


def test_jobs_beyond_the_capacity_are_refused_all_at_once(queue: InferenceQueue) -> None:
    ran: list[int] = []
    jobs = [lambda: ran.append(1)] * 5
    with pytest.raises(QueueFull) as caught:
        asyncio.run(queue.run(jobs, deadline_s=5))
    assert int(caught.value.headers["Retry-After"]) >= 1
    assert ran == []


def test_the_queue_has_room_again_after_a_refusal_and_after_a_run(queue: InferenceQueue) -> None:
    for _ in range(3):
        with pytest.raises(QueueFull):
            asyncio.run(queue.run([lambda: 1] * 5, deadline_s=5))
        assert len(asyncio.run(queue.run([lambda: 1] * 4, deadline_s=5))) == 4


def test_waiting_jobs_are_dropped_when_the_deadline_passes(queue: InferenceQueue) -> None:
    go_on = threading.Event()
    ran: list[int] = []

    def blocked() -> None:
        go_on.wait(5)

    jobs = [blocked, blocked, lambda: ran.append(1)]
    with pytest.raises(DeadlinePassed):
        asyncio.run(queue.run(jobs, deadline_s=0.05))
    go_on.set()
    asyncio.run(queue.run([lambda: None], deadline_s=5))
    assert ran == []


def test_a_job_that_still_runs_keeps_its_place_after_the_deadline(queue: InferenceQueue) -> None:
    go_on = threading.Event()

    def blocked() -> None:
        go_on.wait(5)

    with pytest.raises(DeadlinePassed):
        asyncio.run(queue.run([blocked, blocked], deadline_s=0.05))
    with pytest.raises(QueueFull):
        queue.check_room(3)
    go_on.set()


def test_an_error_of_one_job_frees_the_places_of_all(queue: InferenceQueue) -> None:
    def wrong() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(queue.run([wrong, lambda: None], deadline_s=5))
    time.sleep(0.05)
    queue.check_room(4)


def test_waiting_jobs_of_a_caller_that_is_gone_are_dropped(queue: InferenceQueue) -> None:
    go_on = threading.Event()
    ran: list[int] = []

    def blocked() -> None:
        go_on.wait(5)

    async def leave() -> None:
        jobs = [blocked, blocked, lambda: ran.append(1)]
        working = asyncio.create_task(queue.run(jobs, deadline_s=5))
        await asyncio.sleep(0.05)
        working.cancel()
        await asyncio.wait([working])
        go_on.set()

    asyncio.run(leave())
    asyncio.run(queue.run([lambda: None], deadline_s=5))
    assert ran == []


@pytest.fixture
def alone() -> Iterator[InferenceQueue]:
    """A queue with one thread, so that jobs run in an order."""
    opened = InferenceQueue(ThreadHands(1), capacity=100)
    yield opened
    opened.close()


class _Gate:
    """A job that tells when it has begun, and ends when it is let go."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.go_on.wait(20)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 20)


def _noted(ran: list[str], name: str) -> Callable[[], None]:
    return partial(ran.append, name)


def test_requests_take_turns_so_that_a_large_one_does_not_hold_up_the_others(
    alone: InferenceQueue,
) -> None:
    gate, ran = _Gate(), list[str]()

    async def ask() -> None:
        first = asyncio.create_task(alone.run([gate], deadline_s=20))
        await gate.reached()
        asked = [["a"] * 64, ["b"], ["c"] * 3]
        tasks = [
            asyncio.create_task(alone.run([_noted(ran, name) for name in names], deadline_s=20))
            for names in asked
        ]
        await asyncio.sleep(0)  # each has now put its jobs into the queue
        gate.go_on.set()
        await asyncio.gather(first, *tasks)

    asyncio.run(ask())
    assert ran[:7] == ["a", "b", "c", "a", "c", "a", "c"]
    assert ran[7:] == ["a"] * 61


def test_jobs_of_a_caller_that_left_cost_nothing_and_free_their_places(
    alone: InferenceQueue,
) -> None:
    gate, ran = _Gate(), list[str]()

    async def leave() -> None:
        first = asyncio.create_task(alone.run([gate], deadline_s=20))
        await gate.reached()
        leaving = asyncio.create_task(alone.run([_noted(ran, "left")] * 99, deadline_s=20))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            alone.check_room()
        leaving.cancel()
        await asyncio.wait([leaving])
        alone.check_room(99)
        gate.go_on.set()
        await first
        await alone.run([_noted(ran, "came")] * 100, deadline_s=20)

    asyncio.run(leave())
    assert ran == ["came"] * 100


def test_place_of_a_job_is_free_before_its_caller_knows_the_result() -> None:
    queue = InferenceQueue(ThreadHands(1), capacity=1)

    async def ask() -> None:
        for _ in range(200):
            await queue.run([lambda: None], deadline_s=20)

    asyncio.run(ask())
    queue.close()


def test_closing_drops_what_waits_and_finishes_what_runs() -> None:
    queue, gate, ran = InferenceQueue(ThreadHands(1), capacity=4), _Gate(), list[str]()

    async def close() -> None:
        running = asyncio.create_task(queue.run([gate], deadline_s=20))
        await gate.reached()
        waiting = asyncio.create_task(queue.run([_noted(ran, "waited")], deadline_s=20))
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(queue.close))
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        gate.go_on.set()
        await asyncio.gather(running, closing)

    asyncio.run(close())
    assert ran == []
