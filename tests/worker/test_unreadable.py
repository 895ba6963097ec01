"""Records of a newer version, which the running code cannot read, hold up nothing."""

import json
import threading
from pathlib import Path
from typing import Any, Never

import pytest

from tests.worker.celery_worker import eventually
from tests.worker.pipeline_jobs import states, submitted
from tests.worker.records import record
from tests.worker.redis_server import RedisServer
from worker.control import cancel
from worker.dependencies import fail_hopeless
from worker.jobs import JobRecord
from worker.queue import Dispatch
from worker.rows import Document, UnreadableRecord
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore
from worker.sweep import sweep
from worker.tasks import run_job

S = JobStatus


@pytest.fixture
def settings(redis_server: RedisServer, tmp_path: Path) -> JobSettings:
    return JobSettings(
        redis_url=redis_server.url,
        redis_prefix="test",
        jobs_root=tmp_path / "jobs",
        models_root=tmp_path / "models",
        uploads_root=tmp_path / "uploads",
    )


def made_newer(store: JobStore, job: JobRecord) -> JobRecord:
    """The job with a field that nobody here knows."""
    config = {**job.config.model_dump(mode="json"), "invented_later": True}
    store.client.hset(store.keys.job(job.id), "config", json.dumps(config))
    return job


def unreadable(store: JobStore, **placed: Any) -> JobRecord:
    return made_newer(store, store.create([record(**placed)]))


def never(*_: object, **__: object) -> Never:
    raise AssertionError("nobody should come here")


def failure(seen: Document) -> tuple[str, str | None]:
    return seen["status"], (seen["error"] or {}).get("type")


def test_one_among_lost_jobs_fails_and_the_others_are_recovered(
    store: JobStore, settings: JobSettings
) -> None:
    jobs = [unreadable(store), store.create([record()])]
    for job in jobs:
        assert store.claim(job.id, worker="dead", lease_s=0.001, max_attempts=9)
    eventually(lambda: len(store.expired()) == len(jobs), store.expired)
    sweep(store, Dispatch.open(settings), settings)
    assert failure(store.document(jobs[0].id)) == ("failed", "UnreadableRecord")
    assert "config.import.invented_later: Extra" in store.document(jobs[0].id)["error"]["message"]
    assert store.get(jobs[1].id).status is S.QUEUED


def test_one_that_a_worker_takes_fails_at_once(store: JobStore, settings: JobSettings) -> None:
    job = unreadable(store)
    run_job(job.id, never, settings, worker="w", stop=threading.Event())
    assert failure(store.document(job.id)) == ("failed", "UnreadableRecord")


def test_one_in_a_living_workers_hands_is_left_to_it(
    store: JobStore, settings: JobSettings
) -> None:
    job = unreadable(store)
    lease = store.claim(job.id, worker="newer", lease_s=60, max_attempts=3)
    assert lease
    (settings.uploads_root / job.id).mkdir(parents=True)
    sweep(store, Dispatch.open(settings), settings)
    assert store.renew(lease, 60) is S.RUNNING
    assert (settings.uploads_root / job.id).exists()


def test_those_that_wait_for_one_or_are_one_fail_with_what_they_waited_for(
    store: JobStore,
) -> None:
    lost = unreadable(store, status=S.CANCELLED)
    waiting = [store.create([record(depends_on=(lost.id,))]) for _ in range(2)]
    made_newer(store, waiting[0])
    fail_hopeless(store)
    for job in waiting:
        assert failure(store.document(job.id)) == ("failed", "DependencyFailed")


def test_one_can_be_cancelled_but_not_shown_for_it(store: JobStore) -> None:
    job, parent = unreadable(store), submitted(store)
    for each in (job, made_newer(store, parent)):
        with pytest.raises(UnreadableRecord, match="cannot be read by this one"):
            cancel(store, each.id, dispatch=never)
        assert store.document(each.id)["status"] == "cancelled"
    assert set(states(store, parent).values()) == {"cancelled"}
