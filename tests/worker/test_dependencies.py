"""Jobs that wait for what will not come."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.worker.pipeline_jobs import (
    STEPS,
    end,
    pipeline_spec,
    start,
    states,
    step,
    submitted,
)
from tests.worker.records import record
from tests.worker.redis_server import RedisServer
from training.config.pipeline import PipelineStep
from worker.control import retry
from worker.dependencies import fail_hopeless
from worker.expansion import expand
from worker.jobs import Failure, JobKind, JobRecord
from worker.pipelines import advance
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, Lease
from worker.tasks import run_job

S = JobStatus


@pytest.fixture
def settings(tmp_path: Path) -> JobSettings:
    return JobSettings(models_root=tmp_path / "models")


def waiting(store: JobStore, *awaited: JobRecord, kind: JobKind = JobKind.EXPORT) -> JobRecord:
    """A job that waits for others."""
    return store.create([record(kind, depends_on=tuple(each.id for each in awaited))])


def awaited(store: JobStore, status: JobStatus, **fields: Any) -> JobRecord:
    """A job in that state."""
    return store.create([record(status=status, **fields)])


@pytest.mark.parametrize("kind", [JobKind.EXPORT, JobKind.FINETUNE])
def test_a_job_whose_dependency_failed_fails_with_its_reason(
    store: JobStore, kind: JobKind
) -> None:
    lost = awaited(store, S.FAILED, error=Failure(type="X", message="no such file"))
    made = waiting(store, awaited(store, S.SUCCEEDED), lost, kind=kind)
    fail_hopeless(store)
    found = store.get(made.id)
    assert (found.status, found.attempts, found.started_at) == (S.FAILED, 0, None)
    assert found.error
    assert found.error.type == "DependencyFailed"
    assert f"job {lost.id}, which failed: no such file; retry" in found.error.message


def test_a_job_whose_dependency_was_cancelled_or_is_gone_fails(store: JobStore) -> None:
    cancelled = waiting(store, awaited(store, S.CANCELLED))
    orphan = waiting(store, record())
    fail_hopeless(store)
    for made, said in ((cancelled, "which was cancelled; retry"), (orphan, "which is gone")):
        error = store.get(made.id).error
        assert error
        assert said in error.message


def test_a_job_fails_as_soon_as_a_worker_lost_what_it_waits_for(
    store: JobStore, redis_server: RedisServer
) -> None:
    def fail(lease: Lease, record: JobRecord, *, store: JobStore, **_: object) -> None:
        store.move(record.id, S.FAILED, lease=lease)

    settings = JobSettings(redis_url=redis_server.url, redis_prefix="test")
    lost = store.create([record()])
    made = waiting(store, lost)
    run_job(lost.id, fail, settings, worker="test", stop=threading.Event())
    assert store.get(made.id).status is S.FAILED


def test_jobs_that_wait_for_one_another_fail_in_turn(store: JobStore) -> None:
    first = waiting(store, awaited(store, S.FAILED))
    second = waiting(store, first)
    for _ in range(2):
        fail_hopeless(store)
    assert {store.get(made.id).status for made in (first, second)} == {S.FAILED}


@pytest.mark.parametrize("status", sorted(set(S) - {S.FAILED, S.CANCELLED}))
def test_a_job_that_may_still_start_is_left_alone(store: JobStore, status: JobStatus) -> None:
    made = waiting(store, awaited(store, status))
    fail_hopeless(store)
    assert store.get(made.id) == made


def test_a_job_fails_no_more_once_its_dependency_was_retried(store: JobStore) -> None:
    lost = awaited(store, S.FAILED)
    made = waiting(store, lost)
    fail_hopeless(store)
    for each in (lost, made):
        store.move(each.id, S.QUEUED)
    fail_hopeless(store)
    again = store.get(made.id)
    assert (again.status, again.error) == (S.QUEUED, None)


def failed_with(store: JobStore, lost: JobRecord, **fields: Any) -> JobRecord:
    """A job that has failed because it waited for `lost`."""
    made = store.create([record(JobKind.EXPORT, depends_on=(lost.id,), **fields)])
    fail_hopeless(store)
    return store.get(made.id)


@pytest.mark.parametrize("status", [S.FAILED, S.CANCELLED])
def test_jobs_that_failed_for_another_are_retried_with_it(
    store: JobStore, status: JobStatus
) -> None:
    lost = awaited(store, status)
    first = failed_with(store, lost)
    second = failed_with(store, first)
    woken: list[str] = []
    retry(store, lost.id, dispatch=lambda job: woken.append(job.id))
    assert woken == [lost.id, first.id, second.id]
    for made in (lost, first, second):
        again = store.get(made.id)
        assert (again.status, again.error, again.attempts) == (S.QUEUED, None, 0)
    fail_hopeless(store)
    assert store.get(second.id).status is S.QUEUED
    assert store.claim(first.id, worker="test", lease_s=60, max_attempts=3) is None


def test_jobs_that_failed_for_themselves_or_for_others_are_not_retried(store: JobStore) -> None:
    lost, other = awaited(store, S.FAILED), awaited(store, S.FAILED)
    itself = store.create([record(JobKind.EXPORT, depends_on=(lost.id,))])
    store.move(itself.id, S.FAILED, error=Failure(type="X", message="no such file"))
    cancelled = store.create([record(JobKind.EXPORT, depends_on=(lost.id,))])
    store.move(cancelled.id, S.CANCELLED)
    others = failed_with(store, other)
    retry(store, lost.id, dispatch=lambda _: None)
    statuses = [store.get(each.id).status for each in (lost, itself, cancelled, others)]
    assert statuses == [S.QUEUED, S.FAILED, S.CANCELLED, S.FAILED]


def test_a_job_that_waits_for_two_that_failed_fails_again_with_the_other(store: JobStore) -> None:
    lost, other = awaited(store, S.FAILED), awaited(store, S.FAILED)
    made = store.create([record(JobKind.EXPORT, depends_on=(lost.id, other.id))])
    for each in (lost, other):
        fail_hopeless(store)
        error = store.get(made.id).error
        assert error
        assert f"it waited for job {each.id}, which failed" in error.message
        retry(store, each.id, dispatch=lambda _: None)
    fail_hopeless(store)
    assert store.get(made.id).status is S.QUEUED


def test_a_retry_holds_though_a_job_that_waits_for_it_cannot_be_retried(store: JobStore) -> None:
    lost = awaited(store, S.FAILED)
    made = failed_with(store, lost, datasets=("photos",))
    with store.forget_dataset("photos"):
        assert retry(store, lost.id, dispatch=lambda _: None).status is S.QUEUED
    assert store.get(made.id).status is S.FAILED
    assert retry(store, made.id, dispatch=lambda _: None).status is S.QUEUED


def test_a_pipelines_steps_are_cancelled_by_it_and_not_failed(
    store: JobStore, settings: JobSettings
) -> None:
    parent = submitted(store)
    start(store, parent, "stimuli")
    store.move(step(store, parent, "stimuli").id, S.FAILED)
    fail_hopeless(store)
    assert states(store, parent)["amalgamate"] == "queued"
    advance(store, parent.id, settings=settings)
    assert states(store, parent)["amalgamate"] == "cancelled"


def test_a_step_that_waits_for_a_job_outside_of_its_pipeline_fails_with_it(
    store: JobStore, settings: JobSettings
) -> None:
    lost = awaited(store, S.FAILED, error=Failure(type="X", message="no such file"))
    parent = store.create(expand(pipeline_spec(), awaited={PipelineStep.STIMULI: (lost.id,)}))
    fail_hopeless(store)
    failed = advance(store, parent.id, settings=settings)
    assert failed.status is S.FAILED
    assert failed.error
    assert "step stimuli failed: it waited for job" in failed.error.message


def test_a_pipeline_whose_steps_failed_for_an_import_goes_on_with_its_retry(
    store: JobStore, settings: JobSettings
) -> None:
    lost = awaited(store, S.FAILED)
    waits = dict.fromkeys((PipelineStep.STIMULI, PipelineStep.PERCEIVING), (lost.id,))
    parent = store.create(expand(pipeline_spec(), awaited=waits))
    fail_hopeless(store)
    end(store, parent, "organizing")
    assert advance(store, parent.id, settings=settings).status is S.FAILED
    retry(store, lost.id, dispatch=lambda _: None)
    assert store.get(parent.id).status is S.QUEUED
    others = set(STEPS) - {"organizing"}
    assert states(store, parent) == {"organizing": "succeeded"} | dict.fromkeys(others, "queued")
