"""Jobs that wait for others: those whose others did not succeed can never start, and fail."""

from worker.jobs import Failure, Queue
from worker.status import JobStatus
from worker.store import JobStore, UnknownJob

DEPENDENCY_FAILED = "DependencyFailed"
"""Type of the error of a job that waited in vain."""

_LOST = {JobStatus.FAILED: "failed", JobStatus.CANCELLED: "was cancelled"}
_AT_ONCE = 100


def fail_hopeless(store: JobStore) -> None:
    """End queued jobs that wait for one which failed or was cancelled, with that reason.

    Those that wait for them in turn are for the next look.
    """
    for queue in Queue:
        for job_id, awaited_id in store.hopeless(queue, _AT_ONCE):
            reason, seen = _reason(store, awaited_id), store.document(job_id)
            if reason and seen["status"] == JobStatus.QUEUED:
                error = Failure(type=DEPENDENCY_FAILED, message=reason)
                store.move_unread(seen, JobStatus.FAILED, error=error)


def _reason(store: JobStore, awaited_id: str) -> str | None:
    """Why a job that waits for this one cannot start; None where it was retried this moment."""
    try:
        awaited = store.document(awaited_id)
    except UnknownJob:
        return f"it waited for job {awaited_id}, which is gone; submit it anew without that"
    if awaited["status"] not in _LOST:
        return None
    said = f": {awaited['error']['message']}" if awaited["error"] else ""
    return (
        f"it waited for job {awaited_id}, which {_LOST[awaited['status']]}{said}; "
        "retry that one, and this one is retried with it"
    )
