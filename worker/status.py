"""The states a job can be in, and the moves between them; there are no others."""

from collections.abc import Mapping
from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    """Accepted and stored; waits for a worker or for the jobs it depends on."""

    RUNNING = "running"
    """A worker holds the job's lease and works on it."""

    PAUSING = "pausing"
    """A pause was asked for; the process is writing its checkpoint."""

    PAUSED = "paused"
    """Stopped at a checkpoint, until it is resumed."""

    CANCELLING = "cancelling"
    """A cancellation was asked for; the process is being ended."""

    CANCELLED = "cancelled"
    """Ended on request."""

    SUCCEEDED = "succeeded"
    """Ended with its result."""

    FAILED = "failed"
    """Ended with an error that the record names."""


MOVES: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset(
        {
            JobStatus.RUNNING,
            JobStatus.PAUSED,
            JobStatus.CANCELLED,
            JobStatus.FAILED,  # it can never start: what it waits for failed, or no attempt is left
        }
    ),
    JobStatus.RUNNING: frozenset(
        {
            JobStatus.QUEUED,  # its lease expired: it is handed out again
            JobStatus.PAUSING,
            JobStatus.CANCELLING,
            JobStatus.SUCCEEDED,
            JobStatus.FAILED,
        }
    ),
    JobStatus.PAUSING: frozenset(
        {
            JobStatus.PAUSED,
            JobStatus.CANCELLING,
            JobStatus.SUCCEEDED,  # it was done before the signal came
            JobStatus.FAILED,
        }
    ),
    JobStatus.PAUSED: frozenset({JobStatus.QUEUED, JobStatus.CANCELLED}),
    JobStatus.CANCELLING: frozenset({JobStatus.CANCELLED, JobStatus.SUCCEEDED, JobStatus.FAILED}),
    JobStatus.CANCELLED: frozenset({JobStatus.QUEUED}),  # retried
    JobStatus.SUCCEEDED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),  # retried
}
"""From each state, the states a job may move to."""

ENDED = frozenset({JobStatus.CANCELLED, JobStatus.SUCCEEDED, JobStatus.FAILED})
"""The states in which nothing is done any more; a retry alone leads out of one."""


HELD = frozenset({JobStatus.RUNNING, JobStatus.PAUSING, JobStatus.CANCELLING})
"""The states in which a worker holds a job; a pipeline is in them without one."""


class ForbiddenMove(Exception):
    """A job was asked to make a move that its state forbids."""


def check_move(current: JobStatus, wanted: JobStatus) -> None:
    """Raise ForbiddenMove, naming what is allowed, unless a job may go from one to the other."""
    if wanted not in MOVES[current]:
        allowed = ", ".join(sorted(MOVES[current])) or "none: the job has ended"
        raise ForbiddenMove(f"a {current} job cannot become {wanted}; possible: {allowed}")
