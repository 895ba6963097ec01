"""What one look mends."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import HttpUrl, SecretStr

from tests.worker.celery_worker import eventually
from tests.worker.records import record
from tests.worker.redis_server import RedisServer
from worker.jobs import JobKind, JobRecord, Queue
from worker.queue import Dispatch
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, Lease
from worker.sweep import Sweeper, sweep


@pytest.fixture
def settings(redis_server: RedisServer, tmp_path: Path) -> JobSettings:
    return JobSettings(
        redis_url=redis_server.url,
        redis_prefix="test",
        jobs_root=tmp_path / "jobs",
        models_root=tmp_path / "models",
        max_attempts=2,
        sweep_every_s=0.1,
    )


@pytest.fixture
def dispatch(settings: JobSettings) -> Iterator[Dispatch]:
    opened = Dispatch.open(settings)
    yield opened
    opened.close()


def _abandoned(store: JobStore, *, attempts: int = 0) -> JobRecord:
    """A job that runs, and whose worker has died."""
    made = store.create([record(attempts=attempts)])
    assert store.claim(made.id, worker="dead", lease_s=0.001, max_attempts=9)
    eventually(lambda: made.id in store.expired(), store.expired)
    return store.get(made.id)


def _claim(store: JobStore, made: JobRecord) -> Lease:
    lease = store.claim(made.id, worker="w", lease_s=60, max_attempts=9)
    assert lease
    return lease


def test_an_abandoned_job_is_queued_again_and_a_worker_woken(
    store: JobStore, dispatch: Dispatch, settings: JobSettings
) -> None:
    lost = _abandoned(store)
    sweep(store, dispatch, settings)
    again = store.get(lost.id)
    assert (again.status, again.attempts, again.worker) == (JobStatus.QUEUED, 1, None)
    assert dispatch.waiting(Queue.CPU) == 1
    told = store.events(lost.id).items[-1].data
    assert told["event"] == "recovered"
    assert "worker dead gave no sign of life for 15 s" in told["reason"]


def test_an_abandoned_job_fails_after_its_last_attempt(
    store: JobStore, dispatch: Dispatch, settings: JobSettings
) -> None:
    lost = _abandoned(store, attempts=1)
    sweep(store, dispatch, settings)
    failed = store.get(lost.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error
    assert failed.error.type == "WorkerLost"
    assert "in attempt 2 of 2" in failed.error.message
    assert dispatch.waiting(Queue.CPU) == 0


@pytest.mark.parametrize(
    ("asked", "becomes"),
    [(JobStatus.PAUSING, JobStatus.PAUSED), (JobStatus.CANCELLING, JobStatus.CANCELLED)],
)
def test_an_abandoned_job_gets_what_it_was_asked_for(
    store: JobStore,
    dispatch: Dispatch,
    settings: JobSettings,
    asked: JobStatus,
    becomes: JobStatus,
) -> None:
    lost = _abandoned(store, attempts=1)
    store.move(lost.id, asked)
    sweep(store, dispatch, settings)
    assert store.get(lost.id).status is becomes
    assert store.get(lost.id).error is None


def test_a_job_whose_worker_lives_is_left_alone(
    store: JobStore, dispatch: Dispatch, settings: JobSettings
) -> None:
    made = store.create([record()])
    _claim(store, made)
    before = store.get(made.id)
    sweep(store, dispatch, settings)
    assert store.get(made.id) == before


def test_a_lost_wake_up_is_sent_again_but_not_piled_up(
    store: JobStore, dispatch: Dispatch, settings: JobSettings
) -> None:
    store.create([record(), record(JobKind.EXPORT), record(depends_on=("nowhere",))])
    for _ in range(3):
        sweep(store, dispatch, settings)
    assert dispatch.waiting(Queue.CPU) == 2
    assert dispatch.waiting(Queue.GPU) == 0


def test_a_job_that_waited_for_another_is_woken(
    store: JobStore, dispatch: Dispatch, settings: JobSettings
) -> None:
    first = record()
    store.create([first, record(JobKind.FINETUNE, depends_on=(first.id,))])
    lease = _claim(store, first)
    sweep(store, dispatch, settings)
    assert dispatch.waiting(Queue.GPU) == 0
    store.move(first.id, JobStatus.SUCCEEDED, lease=lease)
    sweep(store, dispatch, settings)
    assert dispatch.waiting(Queue.GPU) == 1


def test_a_queued_job_without_attempts_left_fails_with_the_reason(
    store: JobStore, dispatch: Dispatch, settings: JobSettings
) -> None:
    made = store.create([record(attempts=2)])
    sweep(store, dispatch, settings)
    failed = store.get(made.id)
    assert (failed.status, failed.attempts) == (JobStatus.FAILED, 2)
    assert failed.error
    assert failed.error.message.startswith("it was started 2 times, the limit is 2")
    assert dispatch.waiting(Queue.CPU) == 0


def test_a_sweep_says_that_redis_is_away(
    store: JobStore, dispatch: Dispatch, settings: JobSettings, redis_server: RedisServer
) -> None:
    redis_server.kill()
    with pytest.raises(redis.ConnectionError):
        sweep(store, dispatch, settings)
    redis_server.start()


def test_a_sweeper_goes_on_after_redis_was_away(
    store: JobStore, settings: JobSettings, redis_server: RedisServer
) -> None:
    sweeper = Sweeper(settings)
    sweeper.start()
    redis_server.restart()
    lost = _abandoned(store)
    eventually(lambda: store.get(lost.id).status is JobStatus.QUEUED, lambda: store.get(lost.id))
    sweeper.tell()


def test_a_receiver_of_webhooks_that_hangs_does_not_hold_up_lost_jobs(
    settings: JobSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.webhooks._LIMIT_S", 600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = HttpUrl(f"http://127.0.0.1:{silent.getsockname()[1]}")
        told = settings.model_copy(update={"webhook_url": url, "webhook_secret": SecretStr("key")})
        store = JobStore.connected(told)
        store.move(store.create([record()]).id, JobStatus.CANCELLED)
        sweeper = Sweeper(told)
        sweeper.start()
        with silent.accept()[0]:
            lost = _abandoned(store)
            eventually(lambda: store.get(lost.id).status is JobStatus.QUEUED, lambda: "held up")
            sweeper.tell()
    store.close()
