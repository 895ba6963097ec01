"""Cancel, pause, resume and retry against a real Redis."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worker.pipeline_jobs import (
    PRETRAININGS,
    STEPS,
    end,
    pipeline_config,
    start,
    states,
    step,
    submitted,
)
from worker.actions import ACTIONS, CANCEL, RETRY, Action, take
from worker.control import cancel, pause, resume, retry
from worker.dependencies import fail_hopeless
from worker.jobs import Failure, JobKind, JobRecord, JobSpec
from worker.pipelines import advance
from worker.settings import JobSettings
from worker.status import ForbiddenMove, JobStatus, check_move
from worker.store import DatasetUnavailable, JobStore, UnknownJob

S = JobStatus
Act = Callable[..., JobRecord]


class Woken(list[str]):
    """Stands where wake-ups are sent: a plain list of the ids."""

    def __call__(self, record: JobRecord) -> None:
        self.append(record.id)


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def settings(tmp_path: Path) -> JobSettings:
    return JobSettings(models_root=tmp_path / "models")


@pytest.fixture
def job(store: JobStore) -> JobRecord:
    """A queued single job."""
    spec = JobSpec(kind=JobKind.PRETRAIN, config=pipeline_config().stimuli)
    return store.create([JobRecord.of(spec)])


@pytest.fixture
def parent(store: JobStore) -> JobRecord:
    return submitted(store)


def run(store: JobStore, job: JobRecord) -> None:
    assert store.claim(job.id, worker="test", lease_s=60, max_attempts=3)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action.name))
def test_every_action_makes_legal_moves_alone(action: Action) -> None:
    assert action.moves
    for current, wanted in action.moves.items():
        check_move(current, wanted)


def test_a_queued_job_is_cancelled_at_once(store: JobStore, job: JobRecord, woken: Woken) -> None:
    assert cancel(store, job.id, dispatch=woken).status is S.CANCELLED
    assert store.get(job.id).finished_at is not None


def test_a_running_job_is_being_cancelled(store: JobStore, job: JobRecord, woken: Woken) -> None:
    run(store, job)
    assert cancel(store, job.id, dispatch=woken).status is S.CANCELLING


def test_a_job_is_paused_and_resumed(store: JobStore, job: JobRecord, woken: Woken) -> None:
    assert pause(store, job.id, dispatch=woken).status is S.PAUSED
    assert not woken
    assert resume(store, job.id, dispatch=woken).status is S.QUEUED
    assert woken == [job.id]
    run(store, job)
    assert pause(store, job.id, dispatch=woken).status is S.PAUSING
    assert cancel(store, job.id, dispatch=woken).status is S.CANCELLING


def test_a_retried_job_has_fresh_attempts_and_no_error(
    store: JobStore, job: JobRecord, woken: Woken
) -> None:
    run(store, job)
    store.move(job.id, S.FAILED, error=Failure(type="X", message="y"))
    again = retry(store, job.id, dispatch=woken)
    assert (again.status, again.attempts, again.error) == (S.QUEUED, 0, None)
    assert again.finished_at is None
    assert woken == [job.id]


@pytest.mark.parametrize(
    ("status", "act", "possible"),
    [
        (S.QUEUED, resume, "cancelled, paused"),
        (S.QUEUED, retry, "cancelled, paused"),
        (S.CANCELLED, cancel, "retried"),
        (S.CANCELLED, pause, "retried"),
        (S.SUCCEEDED, cancel, "nothing"),
        (S.SUCCEEDED, retry, "nothing"),
    ],
)
def test_what_a_state_forbids_is_refused_with_what_it_allows(
    store: JobStore, job: JobRecord, woken: Woken, status: JobStatus, act: Act, possible: str
) -> None:
    if status is S.SUCCEEDED:
        run(store, job)
    if status is not S.QUEUED:
        store.move(job.id, status)
    with pytest.raises(ForbiddenMove, match=f"possible: {possible}$"):
        act(store, job.id, dispatch=woken)
    assert store.get(job.id).status is status


def test_an_unknown_job_is_said_to_be_unknown(store: JobStore, woken: Woken) -> None:
    for act in (cancel, pause, resume, retry):
        with pytest.raises(UnknownJob):
            act(store, "0" * 26, dispatch=woken)


def test_a_state_that_changed_meanwhile_is_looked_at_again(
    store: JobStore, job: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = store.get

    def stale(job_id: str) -> JobRecord:
        """The record as it was just before a worker claimed the job."""
        monkeypatch.undo()
        found = seen(job_id)
        run(store, job)
        return found

    monkeypatch.setattr(store, "get", stale)
    assert take(store, job.id, CANCEL).status is S.CANCELLING


def test_a_retry_that_another_one_overtook_leaves_the_job_to_its_worker(
    store: JobStore, job: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.move(job.id, S.CANCELLED)
    seen = store.get

    def stale(job_id: str) -> JobRecord:
        """The record as it was before it was retried and claimed."""
        monkeypatch.undo()
        found = seen(job_id)
        take(store, job_id, RETRY)
        run(store, job)
        return found

    monkeypatch.setattr(store, "get", stale)
    with pytest.raises(ForbiddenMove, match="a running job cannot be retried"):
        take(store, job.id, RETRY)
    assert store.get(job.id).status is S.RUNNING


def test_a_pipeline_that_waits_is_cancelled_at_once(
    store: JobStore, parent: JobRecord, woken: Woken
) -> None:
    assert cancel(store, parent.id, dispatch=woken).status is S.CANCELLED
    assert set(states(store, parent).values()) == {"cancelled"}


def test_a_pipeline_is_being_cancelled_until_its_running_steps_ended(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    end(store, parent, "stimuli")
    start(store, parent, "organizing")
    assert cancel(store, parent.id, dispatch=woken).status is S.CANCELLING
    assert states(store, parent) == {
        "stimuli": "succeeded",
        "organizing": "cancelling",
        **dict.fromkeys(STEPS[2:], "cancelled"),
    }
    assert advance(store, parent.id, settings=settings).status is S.CANCELLING
    end(store, parent, "organizing", S.CANCELLED)
    assert advance(store, parent.id, settings=settings).status is S.CANCELLED


def test_a_pipeline_whose_step_fails_while_it_is_cancelled_is_cancelled(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    start(store, parent, "organizing")
    advance(store, parent.id, settings=settings)
    cancel(store, parent.id, dispatch=woken)
    end(store, parent, "organizing", S.FAILED)
    assert advance(store, parent.id, settings=settings).status is S.CANCELLED


def test_a_pipeline_whose_steps_are_done_can_be_cancelled_before_its_end(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    for name in STEPS:
        end(store, parent, name)
    assert cancel(store, parent.id, dispatch=woken).status is S.CANCELLED
    assert advance(store, parent.id, settings=settings).status is S.CANCELLED


def test_cancelling_one_step_cancels_its_pipeline(
    store: JobStore, parent: JobRecord, woken: Woken
) -> None:
    assert cancel(store, step(store, parent, "stimuli").id, dispatch=woken).status is S.CANCELLED
    assert store.get(parent.id).status is S.CANCELLED


def test_a_pipeline_is_pausing_until_its_running_steps_are_paused(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    end(store, parent, "stimuli")
    start(store, parent, "organizing")
    assert pause(store, parent.id, dispatch=woken).status is S.PAUSING
    with pytest.raises(ForbiddenMove, match="a pausing job cannot be resumed"):
        resume(store, parent.id, dispatch=woken)
    end(store, parent, "organizing", S.PAUSED)
    assert advance(store, parent.id, settings=settings).status is S.PAUSED
    assert states(store, parent) == {"stimuli": "succeeded", **dict.fromkeys(STEPS[1:], "paused")}
    assert not woken


def test_a_resumed_pipeline_goes_on(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    assert pause(store, parent.id, dispatch=woken).status is S.PAUSED
    assert resume(store, parent.id, dispatch=woken).status is S.QUEUED
    assert set(states(store, parent).values()) == {"queued"}
    assert len(woken) == len(STEPS)
    start(store, parent, "stimuli")
    assert advance(store, parent.id, settings=settings).status is S.RUNNING


def test_one_paused_step_holds_up_what_depends_on_it_alone(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    stimuli = step(store, parent, "stimuli").id
    start(store, parent, "organizing")
    pause(store, stimuli, dispatch=woken)
    assert store.get(parent.id).status is S.RUNNING
    end(store, parent, "organizing")
    end(store, parent, "perceiving")
    assert advance(store, parent.id, settings=settings).status is S.PAUSED
    resume(store, stimuli, dispatch=woken)
    assert store.get(parent.id).status is S.QUEUED
    assert states(store, parent)["amalgamate"] == "queued"


def test_one_paused_step_is_resumed_with_its_running_pipeline(
    store: JobStore, parent: JobRecord, woken: Woken
) -> None:
    start(store, parent, "organizing")
    pause(store, step(store, parent, "stimuli").id, dispatch=woken)
    assert resume(store, parent.id, dispatch=woken).status is S.RUNNING
    assert states(store, parent)["stimuli"] == "queued"
    with pytest.raises(ForbiddenMove, match="no step of this running pipeline can be resumed"):
        resume(store, parent.id, dispatch=woken)


def failed(store: JobStore, parent: JobRecord, settings: JobSettings, *names: str) -> None:
    """Let the named steps fail, and the pipeline with them."""
    for name in names:
        start(store, parent, name)
    for name in names:
        end(store, parent, name, S.FAILED, error=Failure(type="X", message="y"))
    assert advance(store, parent.id, settings=settings).status is S.FAILED


def test_a_retried_pipeline_repeats_what_did_not_succeed(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    end(store, parent, "stimuli")
    failed(store, parent, settings, "organizing", "perceiving")
    again = retry(store, parent.id, dispatch=woken)
    assert (again.status, again.error, again.finished_at) == (S.QUEUED, None, None)
    assert states(store, parent) == {"stimuli": "succeeded", **dict.fromkeys(STEPS[1:], "queued")}
    assert {step(store, parent, name).attempts for name in STEPS[1:]} == {0}
    assert len(woken) == len(STEPS) - 1


def test_a_cancelled_pipeline_can_be_retried(
    store: JobStore, parent: JobRecord, woken: Woken
) -> None:
    cancel(store, parent.id, dispatch=woken)
    assert retry(store, parent.id, dispatch=woken).status is S.QUEUED
    assert set(states(store, parent).values()) == {"queued"}


def test_a_failed_promotion_is_retried_without_a_step(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    for name in STEPS:
        end(store, parent, name)
    assert advance(store, parent.id, settings=settings).status is S.FAILED
    assert retry(store, parent.id, dispatch=woken).status is S.QUEUED
    assert set(states(store, parent).values()) == {"succeeded"}


def test_the_one_failed_step_brings_its_pipeline_back_to_life(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    failed(store, parent, settings, "organizing")
    retry(store, step(store, parent, "organizing").id, dispatch=woken)
    assert store.get(parent.id).status is S.QUEUED
    assert set(states(store, parent).values()) == {"queued"}


def test_a_pipeline_comes_back_once_its_last_failed_step_is_retried(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    failed(store, parent, settings, "organizing", "perceiving")
    retry(store, step(store, parent, "organizing").id, dispatch=woken)
    assert store.get(parent.id).status is S.FAILED
    assert states(store, parent)["stimuli"] == "cancelled"
    start(store, parent, "organizing")
    advance(store, parent.id, settings=settings)
    assert states(store, parent)["organizing"] == "running"
    retry(store, step(store, parent, "perceiving").id, dispatch=woken)
    assert store.get(parent.id).status is S.RUNNING
    assert [states(store, parent)[name] for name in PRETRAININGS] == ["queued", "running", "queued"]


def test_a_retry_without_its_data_set_changes_nothing(
    store: JobStore, parent: JobRecord, woken: Woken
) -> None:
    cancel(store, parent.id, dispatch=woken)
    (name, *_) = step(store, parent, "export").datasets
    before = store.list()
    for asked in (parent, step(store, parent, "stimuli")):
        with store.forget_dataset(name), pytest.raises(DatasetUnavailable):
            retry(store, asked.id, dispatch=woken)
        assert store.list() == before


def test_a_retried_step_that_waits_in_vain_for_another_fails(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    failed(store, parent, settings, "organizing")
    amalgamate, organizing = (step(store, parent, name) for name in ("amalgamate", "organizing"))
    retry(store, amalgamate.id, dispatch=woken)
    fail_hopeless(store)
    error = step(store, parent, "amalgamate").error
    assert error
    assert error.type == "DependencyFailed"
    retry(store, organizing.id, dispatch=woken)
    fail_hopeless(store)
    assert store.get(parent.id).status is S.QUEUED
    assert set(states(store, parent).values()) == {"queued"}


def test_a_step_is_not_retried_while_its_pipeline_is_ending(
    store: JobStore, parent: JobRecord, woken: Woken, settings: JobSettings
) -> None:
    start(store, parent, "perceiving")
    end(store, parent, "organizing", S.FAILED)
    advance(store, parent.id, settings=settings)
    with pytest.raises(ForbiddenMove, match="retry it once the pipeline has ended"):
        retry(store, step(store, parent, "organizing").id, dispatch=woken)


@pytest.mark.parametrize("act", [cancel, pause, resume])
def test_an_ended_pipeline_refuses(
    store: JobStore, parent: JobRecord, woken: Woken, act: Act
) -> None:
    cancel(store, parent.id, dispatch=woken)
    with pytest.raises(ForbiddenMove, match="possible: retried"):
        act(store, parent.id, dispatch=woken)
