"""What can be asked of a job, and which move each action makes from which state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.jobs import JobRecord
from worker.status import ENDED, ForbiddenMove, JobStatus
from worker.store import JobStore


@dataclass(frozen=True, slots=True)
class Action:
    """A request: its moves of a single job, and when a pipeline passes it on to its steps."""

    name: str
    moves: Mapping[JobStatus, JobStatus]
    passed_on: frozenset[JobStatus]
    """States of a pipeline in which its steps are asked."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What changes in the record along with the move."""


CANCEL = Action(
    "cancelled",
    {
        JobStatus.QUEUED: JobStatus.CANCELLED,
        JobStatus.RUNNING: JobStatus.CANCELLING,
        JobStatus.PAUSING: JobStatus.CANCELLING,
        JobStatus.PAUSED: JobStatus.CANCELLED,
    },
    passed_on=frozenset(JobStatus) - ENDED - {JobStatus.CANCELLING},
)
PAUSE = Action(
    "paused",
    {JobStatus.QUEUED: JobStatus.PAUSED, JobStatus.RUNNING: JobStatus.PAUSING},
    passed_on=frozenset({JobStatus.QUEUED, JobStatus.RUNNING}),
)
RESUME = Action(
    "resumed",
    {JobStatus.PAUSED: JobStatus.QUEUED},
    passed_on=frozenset({JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.PAUSED}),
)
RETRY = Action(
    "retried",
    {JobStatus.FAILED: JobStatus.QUEUED, JobStatus.CANCELLED: JobStatus.QUEUED},
    passed_on=frozenset({JobStatus.FAILED, JobStatus.CANCELLED}),
    changes={"attempts": 0, "error": None},
)
ACTIONS = (CANCEL, PAUSE, RESUME, RETRY)


def take(store: JobStore, job_id: str, action: Action) -> JobRecord:
    """The record after the action's move; raises ForbiddenMove where its state has none.

    A state that changed between the look and the move is looked at again.
    """
    while True:
        seen = store.get(job_id)
        if seen.status not in action.moves:
            raise forbidden(seen.status, action)
        moved = store.move_from(seen, action.moves[seen.status], **action.changes)
        if moved is not None:
            return moved


def forbidden(status: JobStatus, action: Action) -> ForbiddenMove:
    """The refusal of an action, with the ones that are possible."""
    possible = [known.name for known in ACTIONS if status in known.moves]
    return ForbiddenMove(
        f"a {status} job cannot be {action.name}; possible: {', '.join(possible) or 'nothing'}"
    )
