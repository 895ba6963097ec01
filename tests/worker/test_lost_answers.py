"""A change whose answer is lost is sent again by the client, and must count once."""

from collections.abc import Iterator

import pytest

from tests.worker.lossy_proxy import LossyProxy, lossy_proxy
from tests.worker.pipeline_jobs import submitted
from tests.worker.records import record
from tests.worker.redis_server import RedisServer
from worker.status import JobStatus
from worker.store import JobStore


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[LossyProxy]:
    with lossy_proxy(redis_server.socket) as opened:
        yield opened


@pytest.fixture
def far_store(proxy: LossyProxy) -> Iterator[JobStore]:
    """A store behind the proxy, its scripts known to Redis."""
    opened = JobStore.open(proxy.url, prefix="test")
    warm = opened.create([record()])
    lease = opened.claim(warm.id, worker="w", lease_s=60, max_attempts=3)
    assert lease
    opened.report(lease, events=[], offset=0)
    opened.move(warm.id, JobStatus.FAILED)
    opened.revive(warm.id)
    yield opened
    opened.close()


def test_a_creation_is_made_once(far_store: JobStore, proxy: LossyProxy) -> None:
    made = record()
    proxy.lose_next()
    assert far_store.create([made]) == made
    assert proxy.lost == 1
    assert len(far_store.list().items) == 2
    assert len(far_store.events(made.id).items) == 1


def test_a_claim_gives_the_lease_that_it_took(far_store: JobStore, proxy: LossyProxy) -> None:
    made = far_store.create([record()])
    proxy.lose_next()
    lease = far_store.claim(made.id, worker="w", lease_s=60, max_attempts=3)
    assert proxy.lost == 1
    assert lease
    assert far_store.renew(lease, 60) is JobStatus.RUNNING
    assert far_store.get(made.id).attempts == 1


def test_a_move_is_made_once(far_store: JobStore, store: JobStore, proxy: LossyProxy) -> None:
    made = far_store.create([record()])
    seen = far_store.get(made.id)
    proxy.lose_next()
    moved = far_store.move_from(seen, JobStatus.CANCELLED)
    assert proxy.lost == 1
    assert moved
    assert (moved.status, moved.revision) == (JobStatus.CANCELLED, 1)
    assert len(store.events(made.id).items) == 2


def test_a_pipeline_is_revived_once(
    far_store: JobStore, store: JobStore, proxy: LossyProxy
) -> None:
    parent = submitted(store)
    for job in (*store.children(parent.id), parent):
        store.move(job.id, JobStatus.CANCELLED)
    proxy.lose_next()
    queued = far_store.revive(parent.id)
    assert proxy.lost == 1
    assert queued == tuple(step.id for step in store.children(parent.id))
    assert {store.get(job_id).revision for job_id in (parent.id, *queued)} == {2}


def test_a_report_is_told_once(far_store: JobStore, proxy: LossyProxy) -> None:
    made = far_store.create([record()])
    lease = far_store.claim(made.id, worker="w", lease_s=60, max_attempts=3)
    assert lease
    proxy.lose_next()
    far_store.report(lease, events=[{"event": "epoch"}], offset=10)
    assert proxy.lost == 1
    told = [event.data["event"] for event in far_store.events(made.id).items]
    assert told == ["status", "status", "epoch"]


def test_an_event_is_told_once(far_store: JobStore, proxy: LossyProxy) -> None:
    made = far_store.create([record()])
    far_store.add_event(made.id, {"event": "warm"})
    proxy.lose_next()
    told = far_store.add_event(made.id, {"event": "x"})
    assert proxy.lost == 1
    events = far_store.events(made.id).items
    assert [event.data["event"] for event in events] == ["status", "warm", "x"]
    assert events[-1].id == told
