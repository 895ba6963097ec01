"""The store under many at once: threads over one store, as in the API, and workers beside them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier
from typing import TypeVar

from tests.worker.records import record
from worker.jobs import Queue
from worker.status import ForbiddenMove, JobStatus
from worker.store import (
    DatasetInUse,
    DatasetUnavailable,
    IdempotencyKey,
    JobStore,
    Lease,
    LeaseLost,
)

Found = TypeVar("Found")


def _at_once(count: int, work: Callable[[int], Found]) -> list[Found]:
    """What `work` gives for 0 to count - 1, all begun in the same moment."""
    start = Barrier(count)

    def begin(me: int) -> Found:
        start.wait(30)
        return work(me)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_fifty_submissions_with_one_key_are_one_job(store: JobStore) -> None:
    key = IdempotencyKey("once", "digest")
    made = _at_once(50, lambda _: store.create([record()], key=key).id)
    assert len(set(made)) == 1
    assert [item.id for item in store.list().items] == made[:1]
    assert store.ready(Queue.CPU, 99) == (made[0],)


def test_one_of_many_claims_gets_the_job(store: JobStore) -> None:
    for _ in range(10):
        made = store.create([record()])
        got = [lease for lease in _at_once(8, partial(_claim, store, made.id)) if lease]
        assert len(got) == 1
        assert store.get(made.id).worker == got[0].worker
        assert store.get(made.id).attempts == 1


def _claim(store: JobStore, job_id: str, me: int) -> Lease | None:
    return store.claim(job_id, worker=f"w{me}", lease_s=9, max_attempts=3)


def test_one_of_many_recoveries_counts(store: JobStore) -> None:
    made = store.create([record()])
    for turn in range(1, 6):
        assert store.claim(made.id, worker="w", lease_s=0, max_attempts=9)
        recovered = _at_once(8, lambda _: _recovered(store, made.id))
        assert recovered.count(True) == 1
        assert store.get(made.id).attempts == turn


def _recovered(store: JobStore, job_id: str) -> bool:
    try:
        return store.recover(job_id, JobStatus.QUEUED) is not None
    except ForbiddenMove:
        return False


def test_a_job_ends_once_whoever_ends_it(store: JobStore) -> None:
    for _ in range(10):
        made = store.create([record()])
        lease = store.claim(made.id, worker="w", lease_s=9, max_attempts=3)

        assert lease
        _at_once(6, partial(_end, store, lease))
        told = [event.data["status"] for event in store.events(made.id).items]
        assert told[:2] == ["queued", "running"]
        assert len([status for status in told if status in ("succeeded", "failed")]) <= 1
        assert told[-1] == store.get(made.id).status


def _end(store: JobStore, lease: Lease, me: int) -> None:
    ends = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLING)
    with suppress(ForbiddenMove, LeaseLost):
        store.move(lease.job_id, ends[me % 3], lease=lease)


def test_moves_at_once_are_all_made_one_after_the_other(store: JobStore) -> None:
    made = store.create([record()])

    def turn(me: int) -> int:
        moved = 0
        for _ in range(20):
            with suppress(ForbiddenMove):
                store.move(made.id, (JobStatus.PAUSED, JobStatus.QUEUED)[me % 2])
                moved += 1
        return moved

    moves = sum(_at_once(4, turn))
    assert store.get(made.id).revision == moves
    assert len(store.events(made.id, limit=200).items) == moves + 1


def test_a_data_set_is_either_read_or_deleted(store: JobStore) -> None:
    there = {"photos": True}

    def delete(_: int) -> bool:
        try:
            with store.forget_dataset("photos"):
                there["photos"] = False
        except (DatasetInUse, DatasetUnavailable):
            return False
        return True

    def read(_: int) -> bool:
        try:
            store.create([record(datasets=("photos",))])
        except DatasetUnavailable:
            return False
        return True

    for _ in range(20):
        there["photos"] = True
        read_it, deleted_it = _at_once(2, lambda me: (read, delete)[me](me))
        for job in store.list().items:
            with suppress(ForbiddenMove):
                store.move(job.id, JobStatus.CANCELLED)
        assert deleted_it is not there["photos"]
        assert read_it or deleted_it
