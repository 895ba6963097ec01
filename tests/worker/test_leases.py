"""One worker holds a job, and one that lost it can do nothing to it."""

import math
import time

import pytest

from tests.worker.celery_worker import eventually
from tests.worker.records import offset, record
from worker.jobs import JobKind, Progress, Queue
from worker.status import JobStatus
from worker.store import JobStore, Lease, LeaseLost


def _claimed(store: JobStore, job_id: str, *, lease_s: float = 60, worker: str = "w") -> Lease:
    lease = store.claim(job_id, worker=worker, lease_s=lease_s, max_attempts=3)
    assert lease
    return lease


def _taken_over(store: JobStore) -> tuple[Lease, Lease]:
    """A lease that ran out, and the one that another worker has got since."""
    made = store.create([record()])
    stale = _claimed(store, made.id, lease_s=0.001, worker="slow")
    eventually(lambda: store.expired() == (made.id,), store.expired)
    assert store.recover(made.id, JobStatus.QUEUED)
    return stale, _claimed(store, made.id, worker="fast")


def test_tokens_rise(store: JobStore) -> None:
    stale, current = _taken_over(store)
    other = _claimed(store, store.create([record()]).id)
    assert stale.token < current.token < other.token


def test_a_stale_lease_can_do_nothing(store: JobStore) -> None:
    stale, current = _taken_over(store)
    before = store.get(stale.job_id)
    told = store.events(stale.job_id)
    with pytest.raises(LeaseLost, match="worker slow no longer holds job"):
        store.renew(stale, 60)
    with pytest.raises(LeaseLost):
        store.report(stale, events=[{"event": "x"}], offset=9, progress=Progress(epoch=9))
    for status in (JobStatus.SUCCEEDED, JobStatus.QUEUED, JobStatus.RUNNING):
        with pytest.raises(LeaseLost):
            store.move(stale.job_id, status, lease=stale)
    assert store.get(stale.job_id) == before
    assert store.events(stale.job_id) == told
    assert offset(store, stale.job_id) == 0
    assert store.renew(current, 60) is JobStatus.RUNNING


def test_a_lease_that_ran_out_is_renewed_while_nobody_took_the_job(store: JobStore) -> None:
    made = store.create([record()])
    lease = _claimed(store, made.id, lease_s=0.001)
    eventually(store.expired, store.expired)
    assert store.renew(lease, 60) is JobStatus.RUNNING
    assert store.expired() == ()
    assert store.recover(made.id, JobStatus.QUEUED) is None


def test_a_live_lease_is_not_recovered(store: JobStore) -> None:
    made = store.create([record()])
    lease = _claimed(store, made.id)
    assert store.expired() == ()
    assert store.recover(made.id, JobStatus.QUEUED) is None
    assert store.renew(lease, 60) is JobStatus.RUNNING


@pytest.mark.parametrize("asked", [JobStatus.PAUSING, JobStatus.CANCELLING])
def test_a_renewal_tells_what_was_asked_for(store: JobStore, asked: JobStatus) -> None:
    made = store.create([record()])
    lease = _claimed(store, made.id)
    store.move(made.id, asked)
    assert store.renew(lease, 60) is asked


def test_the_lease_ends_with_the_work(store: JobStore) -> None:
    made = store.create([record()])
    lease = _claimed(store, made.id, lease_s=0.001)
    store.move(made.id, JobStatus.SUCCEEDED, lease=lease)
    time.sleep(0.01)
    assert store.expired() == ()
    with pytest.raises(LeaseLost):
        store.renew(lease, 60)


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.CANCELLED])
def test_only_a_queued_job_is_claimed(store: JobStore, status: JobStatus) -> None:
    made = store.create([record()])
    store.move(made.id, status)
    assert store.claim(made.id, worker="w", lease_s=60, max_attempts=3) is None


def test_a_job_without_attempts_left_is_not_claimed(store: JobStore) -> None:
    made = store.create([record(attempts=3)])
    assert store.claim(made.id, worker="w", lease_s=60, max_attempts=3) is None
    assert store.claim(made.id, worker="w", lease_s=60, max_attempts=4)


def test_a_job_waits_for_all_it_depends_on(store: JobStore) -> None:
    first, second = record(), record(JobKind.EXPORT)
    last = record(depends_on=(first.id, second.id))
    store.create([first, second, last])
    for made in (first, second):
        assert last.id not in store.ready(Queue.CPU, 10)
        assert store.claim(last.id, worker="w", lease_s=60, max_attempts=3) is None
        store.move(made.id, JobStatus.SUCCEEDED, lease=_claimed(store, made.id))
    assert store.ready(Queue.CPU, 10) == (last.id,)
    assert _claimed(store, last.id)


def test_a_report_sent_twice_is_told_once(store: JobStore) -> None:
    made = store.create([record()])
    lease = _claimed(store, made.id)
    batch = [{"event": "epoch", "epoch": n} for n in range(3)]
    for _ in range(2):
        store.report(lease, events=batch, offset=120, progress=Progress(epoch=3))
    store.report(lease, events=[{"event": "epoch", "epoch": 3}], offset=160)
    told = [event.data["epoch"] for event in store.events(made.id).items if "epoch" in event.data]
    assert told == [0, 1, 2, 3]
    assert offset(store, made.id) == 160
    assert store.get(made.id).progress == Progress(epoch=3)


def test_a_diverged_loss_is_null_in_events_and_no_metric(store: JobStore) -> None:
    made = store.create([record()])
    lease = _claimed(store, made.id)
    event = {"event": "epoch", "train": {"loss": math.nan, "other": [math.inf, 1.0]}}
    store.report(lease, events=[event], offset=1, metrics={"loss": math.nan, "top1": 0.5})
    told = store.events(made.id).items[-1].data
    assert told == {"event": "epoch", "train": {"loss": None, "other": [None, 1.0]}}
    assert store.get(made.id).metrics == {"top1": 0.5}
