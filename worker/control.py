"""Cancel, pause, resume and retry: of single jobs, of pipelines, and of a pipeline's steps."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from worker.actions import CANCEL, PAUSE, RESUME, RETRY, Action, forbidden, take
from worker.dependencies import DEPENDENCY_FAILED
from worker.following import follow
from worker.jobs import JobKind, JobRecord
from worker.rows import UnreadableRecord
from worker.status import ENDED, ForbiddenMove, JobStatus
from worker.store import DatasetUnavailable, JobStore
from worker.unreadable import cancel_unreadable

Wake = Callable[[JobRecord], None]
"""Tells the workers that a job waits in its queue."""


def cancel(store: JobStore, job_id: str, *, dispatch: Wake) -> JobRecord:
    """End a job on request; of a pipeline, every step that has not ended.

    One whose record cannot be read is ended too, and then UnreadableRecord raised.
    """
    try:
        record = store.get(job_id)
        if record.kind is JobKind.PIPELINE:
            return _cancel_pipeline(store, record, dispatch)
        return _act(store, record, CANCEL, dispatch)
    except UnreadableRecord:
        cancel_unreadable(store, job_id)
        raise


def pause(store: JobStore, job_id: str, *, dispatch: Wake) -> JobRecord:
    """Stop a job at a checkpoint; of a pipeline, every step that runs or waits."""
    return _act(store, store.get(job_id), PAUSE, dispatch)


def resume(store: JobStore, job_id: str, *, dispatch: Wake) -> JobRecord:
    """Let a paused job go on from its checkpoint; of a pipeline, every paused step."""
    return _act(store, store.get(job_id), RESUME, dispatch)


def retry(store: JobStore, job_id: str, *, dispatch: Wake) -> JobRecord:
    """Let a failed or cancelled job go on from its last checkpoint, with fresh attempts.

    Jobs that failed because they waited for it in vain are retried with it, and wait again.
    Of a pipeline: every such step. A step that is retried alone brings its pipeline back to life,
    along with the steps that were cancelled, once no other step of it is failed.
    """
    record = store.get(job_id)
    if record.kind is JobKind.PIPELINE:
        return _retry_pipeline(store, record, dispatch)
    if record.parent_id is not None:
        return _retry_step(store, record, record.parent_id, dispatch)
    return _take(store, job_id, RETRY, dispatch)


def _act(store: JobStore, record: JobRecord, action: Action, dispatch: Wake) -> JobRecord:
    """Steps go first and the parent follows, so that its state never runs ahead of theirs."""
    if record.kind is JobKind.PIPELINE:
        _demand_passed_on(record, action)
        if not list(_take_each(store, record, action, dispatch)):
            raise ForbiddenMove(f"no step of this {record.status} pipeline can be {action.name}")
        return follow(store, record.id)
    taken = _take(store, record.id, action, dispatch)
    if record.parent_id is not None:
        follow(store, record.parent_id)
    return taken


def _cancel_pipeline(store: JobStore, parent: JobRecord, dispatch: Wake) -> JobRecord:
    """Written down first where the table lets it, so that it holds if a step fails meanwhile."""
    _demand_passed_on(parent, CANCEL)
    if parent.status in (JobStatus.RUNNING, JobStatus.PAUSING):
        with suppress(ForbiddenMove):  # it moved meanwhile: its steps will tell it where to
            store.move(parent.id, JobStatus.CANCELLING)
    taken = list(_take_each(store, parent, CANCEL, dispatch))
    if not taken and parent.status in (JobStatus.QUEUED, JobStatus.PAUSED):
        take(store, parent.id, CANCEL)
    return follow(store, parent.id)


def _retry_pipeline(store: JobStore, parent: JobRecord, dispatch: Wake) -> JobRecord:
    _demand_passed_on(parent, RETRY)
    _revive(store, parent.id, dispatch)
    return follow(store, parent.id)


def _retry_step(store: JobStore, step: JobRecord, parent_id: str, dispatch: Wake) -> JobRecord:
    parent = store.get(parent_id)
    if parent.status not in ENDED:
        raise ForbiddenMove(
            f"a {step.status} step cannot be retried while its pipeline is {parent.status}; "
            "retry it once the pipeline has ended"
        )
    if step.status not in RETRY.moves:
        raise forbidden(step.status, RETRY)
    _revive(store, parent_id, dispatch, step_id=step.id)
    follow(store, parent_id)
    return store.get(step.id)


def _revive(store: JobStore, parent_id: str, dispatch: Wake, *, step_id: str | None = None) -> None:
    for queued_id in store.revive(parent_id, step_id=step_id):
        dispatch(store.get(queued_id))
        _retry_dependents(store, queued_id, dispatch)


def _demand_passed_on(parent: JobRecord, action: Action) -> None:
    if parent.status not in action.passed_on:
        raise forbidden(parent.status, action)


def _take_each(
    store: JobStore, parent: JobRecord, action: Action, dispatch: Wake
) -> Iterator[JobRecord]:
    """The steps that could take the action, after it."""
    for child in store.children(parent.id):
        with suppress(ForbiddenMove):
            yield _take(store, child.id, action, dispatch)


def _take(store: JobStore, job_id: str, action: Action, dispatch: Wake) -> JobRecord:
    taken = take(store, job_id, action)
    if taken.status is JobStatus.QUEUED:
        dispatch(taken)
    if action is RETRY:
        _retry_dependents(store, job_id, dispatch)
    return taken


def _retry_dependents(store: JobStore, job_id: str, dispatch: Wake) -> None:
    for dependent in store.dependents(job_id, DEPENDENCY_FAILED):
        with suppress(ForbiddenMove, DatasetUnavailable):  # it stays failed, for a retry of its own
            retry(store, dependent, dispatch=dispatch)
