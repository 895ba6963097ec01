"""Lists of jobs: complete, in order, and steady while jobs come and move."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from tests.worker.records import record
from worker.jobs import JobKind, JobRecord, Queue, new_id
from worker.status import JobStatus
from worker.store import BadCursor, JobStore


def _stored(store: JobStore, count: int, kind: JobKind = JobKind.IMPORT) -> list[JobRecord]:
    """Newest last; ids of one millisecond are drawn, so they are put in order here."""
    made = [record(kind) for _ in range(count)]
    store.create(made)
    return sorted(made, key=lambda job: job.id)


def test_the_newest_comes_first(store: JobStore) -> None:
    made = _stored(store, 5)
    page = store.list()
    assert [item.id for item in page.items] == [job.id for job in reversed(made)]
    assert page.next_cursor is None


def test_ids_sort_by_the_millisecond_they_were_made_in() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(milliseconds=n) for n in (0, 1, 2, 1000, 10**9)]
    ids = [new_id(moment) for moment in moments]
    assert ids == sorted(ids)


@pytest.mark.parametrize("limit", [1, 3, 4, 12, 13])
def test_pages_neither_skip_nor_repeat_while_jobs_are_added(store: JobStore, limit: int) -> None:
    there = _stored(store, 12)
    seen: list[str] = []
    cursor = None
    for _ in itertools.count():
        page = store.list(limit=limit, cursor=cursor)
        seen += [item.id for item in page.items]
        _stored(store, 2)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [job.id for job in reversed(there)]


def test_a_stored_page_is_the_page_itself(store: JobStore) -> None:
    made = record(name='ü "quoted" \\ / \n \x00 😀', metrics={"loss": 1e-7}, labels={"a": "1/2"})
    store.create([made, record(JobKind.FINETUNE)])
    page = store.list_stored(status=None, kind=None, parent_id=None, limit=1, cursor=None)
    assert page.read() == store.list(limit=1)
    page = store.list_stored(status=None, kind=made.kind, parent_id=None, limit=5, cursor=None)
    assert page.read().items == (made,)


def test_status_and_kind_narrow_a_list(store: JobStore) -> None:
    imports, exports = _stored(store, 3), _stored(store, 2, JobKind.EXPORT)
    store.move(imports[0].id, JobStatus.PAUSED)
    store.move(exports[0].id, JobStatus.PAUSED)
    assert {job.id for job in store.list(kind=JobKind.EXPORT).items} == {j.id for j in exports}
    paused = store.list(status=JobStatus.PAUSED)
    assert {job.id for job in paused.items} == {imports[0].id, exports[0].id}
    both = store.list(status=JobStatus.PAUSED, kind=JobKind.EXPORT)
    assert [job.id for job in both.items] == [exports[0].id]
    assert store.list(status=JobStatus.FAILED).items == ()


def test_steps_are_listed_by_their_pipeline(store: JobStore) -> None:
    steps = [record(parent_id="p", step=name) for name in ("one", "two", "three")]
    store.create([record(), *steps])
    store.move(steps[0].id, JobStatus.PAUSED)
    assert {job.id for job in store.list(parent_id="p").items} == {step.id for step in steps}
    waiting = store.list(parent_id="p", status=JobStatus.QUEUED, limit=1)
    rest = store.list(parent_id="p", status=JobStatus.QUEUED, cursor=waiting.next_cursor)
    found = {job.id for job in (*waiting.items, *rest.items)}
    assert found == {step.id for step in steps[1:]}
    assert [job.id for job in store.children("p")] == sorted(step.id for step in steps)
    assert store.children("q") == ()


@pytest.mark.parametrize("cursor", ["", "x", "(", "[0", "0" * 25, "G" * 26])
def test_a_cursor_of_ones_own_making_is_refused(store: JobStore, cursor: str) -> None:
    with pytest.raises(BadCursor, match="take next_cursor"):
        store.list(cursor=cursor)


def test_jobs_are_counted_by_status(store: JobStore) -> None:
    made = _stored(store, 3)
    store.move(made[0].id, JobStatus.CANCELLED)
    counts = store.counts()
    assert set(counts) == set(JobStatus)
    assert (counts[JobStatus.QUEUED], counts[JobStatus.CANCELLED]) == (2, 1)
    assert sum(counts.values()) == 3


def test_active_jobs_are_those_that_have_not_ended(store: JobStore) -> None:
    first, second, third = _stored(store, 3)
    store.move(first.id, JobStatus.CANCELLED)
    store.move(second.id, JobStatus.PAUSED)
    export = _stored(store, 1, JobKind.EXPORT)[0]
    assert store.active() == (second.id, third.id, export.id)
    assert store.active(JobKind.EXPORT) == (export.id,)


def test_the_longest_waiting_job_is_ready_first(store: JobStore) -> None:
    made = [store.create([record()]) for _ in range(4)]
    store.create([record(JobKind.FINETUNE)])
    store.move(made[0].id, JobStatus.PAUSED)
    store.move(made[0].id, JobStatus.QUEUED)
    expected = tuple(job.id for job in (*made[1:], made[0]))
    assert store.ready(Queue.CPU, 10) == expected
    assert store.ready(Queue.CPU, 2) == expected[:2]
