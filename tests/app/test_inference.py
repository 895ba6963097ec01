import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from app.errors import DeadlinePassed, QueueFull
from app.inference import InferenceQueue


@pytest.fixture
def queue() -> Iterator[InferenceQueue]:
    opened = InferenceQueue(workers=2, capacity=4)
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
