"""Real Celery workers on a real Redis: messages arrive, once is enough, and nothing stays stuck."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.worker.celery_worker import PATIENCE_S, CeleryWorker, Sleepers, eventually
from tests.worker.records import record
from tests.worker.redis_server import RedisServer
from worker.jobs import JobKind, JobRecord, Queue
from worker.queue import Dispatch
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore
from worker.tasks import run_job


@pytest.fixture
def settings(redis_server: RedisServer, tmp_path: Path) -> JobSettings:
    """Leases that run out while a test waits."""
    jobs_root = tmp_path / "jobs"
    jobs_root.mkdir()
    return JobSettings(
        redis_url=redis_server.url,
        redis_prefix="test",
        jobs_root=jobs_root,
        lease_s=600,
        sweep_every_s=0.5,
    )


@pytest.fixture
def sleepers(settings: JobSettings) -> Sleepers:
    return Sleepers(settings)


@pytest.fixture
def dispatch(settings: JobSettings) -> Iterator[Dispatch]:
    opened = Dispatch.open(settings)
    yield opened
    opened.close()


def _submitted(store: JobStore, dispatch: Dispatch, kind: JobKind = JobKind.IMPORT) -> JobRecord:
    made = store.create([record(kind)])
    dispatch(made)
    return made


def _has_status(store: JobStore, made: JobRecord, status: JobStatus) -> bool:
    return store.get(made.id).status is status


def test_a_job_is_taken_worked_on_and_ended(
    store: JobStore, dispatch: Dispatch, sleepers: Sleepers
) -> None:
    made = _submitted(store, dispatch)
    assert dispatch.waiting(Queue.CPU) == 1
    with sleepers.worker("first") as worker:
        eventually(lambda: sleepers.starts(made), worker.log.read_text)
        eventually(lambda: not store.client.exists("test:broker:unacked"), worker.log.read_text)
        assert store.get(made.id).worker == "celery@first"
        sleepers.finish(made)
        eventually(lambda: _has_status(store, made, JobStatus.SUCCEEDED), worker.log.read_text)


def test_a_busy_worker_reserves_nothing_for_itself(
    store: JobStore, dispatch: Dispatch, sleepers: Sleepers
) -> None:
    with sleepers.worker("busy") as busy:
        held = _submitted(store, dispatch)
        eventually(lambda: sleepers.starts(held), busy.log.read_text)
        other = _submitted(store, dispatch)
        with sleepers.worker("idle") as idle:
            eventually(lambda: sleepers.starts(other), idle.log.read_text)
        assert sleepers.starts(other)[0].worker == idle.process.pid


def test_a_worker_goes_on_after_redis_was_killed(
    store: JobStore, dispatch: Dispatch, sleepers: Sleepers, redis_server: RedisServer
) -> None:
    with sleepers.worker("first") as worker:
        for _ in range(2):
            redis_server.restart()
            made = _submitted(store, dispatch)
            started = partial(sleepers.starts, made)
            eventually(started, worker.log.read_text, within_s=30)
            sleepers.finish(made)


def test_a_killed_child_is_replaced(
    store: JobStore, dispatch: Dispatch, sleepers: Sleepers
) -> None:
    with sleepers.worker("first") as worker:
        lost = _submitted(store, dispatch)
        eventually(lambda: sleepers.starts(lost), worker.log.read_text)
        os.kill(sleepers.starts(lost)[0].child, signal.SIGKILL)
        made = _submitted(store, dispatch)
        eventually(lambda: sleepers.starts(made), worker.log.read_text)
        assert worker.process.poll() is None


def _terminate(worker: CeleryWorker) -> None:
    worker.process.terminate()


def _terminate_group(worker: CeleryWorker) -> None:
    os.killpg(worker.process.pid, signal.SIGTERM)


@pytest.mark.parametrize("end", [_terminate, _terminate_group])
def test_a_worker_that_ends_gives_its_job_back(
    store: JobStore,
    dispatch: Dispatch,
    sleepers: Sleepers,
    end: Callable[[CeleryWorker], None],
) -> None:
    with sleepers.worker("first") as worker:
        made = _submitted(store, dispatch)
        eventually(lambda: sleepers.starts(made), worker.log.read_text)
        end(worker)
        eventually(lambda: _has_status(store, made, JobStatus.QUEUED), worker.log.read_text)
        assert store.get(made.id).attempts == 0
        assert worker.process.wait(PATIENCE_S) == 0


def test_a_child_does_not_outlive_its_killed_worker(
    store: JobStore, dispatch: Dispatch, sleepers: Sleepers
) -> None:
    with sleepers.worker("first") as worker:
        made = _submitted(store, dispatch)
        eventually(lambda: sleepers.starts(made), worker.log.read_text)
        worker.process.kill()
        child = Path(f"/proc/{sleepers.starts(made)[0].child}/fd")
        eventually(lambda: not child.exists(), worker.log.read_text)


def test_a_worker_takes_messages_of_its_own_queues_alone(
    store: JobStore, dispatch: Dispatch, sleepers: Sleepers
) -> None:
    with sleepers.worker("cpu-worker", queues="cpu") as worker:
        for_gpu, for_cpu = (
            _submitted(store, dispatch, kind) for kind in (JobKind.FINETUNE, JobKind.IMPORT)
        )
        eventually(lambda: sleepers.starts(for_cpu), worker.log.read_text)
        assert dispatch.waiting(Queue.GPU) > 0  # a sweep may have sent the message again
        assert not sleepers.starts(for_gpu)


def test_a_worker_that_is_to_stop_claims_nothing(store: JobStore, settings: JobSettings) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("it was claimed")

    made, stop = store.create([record()]), threading.Event()
    stop.set()
    run_job(made.id, work, settings, worker="ending", stop=stop)
    assert store.get(made.id) == made


def test_a_job_given_back_is_taken_again(
    store: JobStore, dispatch: Dispatch, sleepers: Sleepers
) -> None:
    with sleepers.worker("first") as first:
        made = _submitted(store, dispatch)
        eventually(lambda: sleepers.starts(made), first.log.read_text)
        with sleepers.worker("second") as second:
            first.process.terminate()
            eventually(lambda: len(sleepers.starts(made)) == 2, second.log.read_text)
            assert sleepers.starts(made)[1].worker == second.process.pid
