"""Jobs whose records the running code cannot read, as after a return to an older version."""

from contextlib import suppress

from worker.actions import CANCEL
from worker.errors import JobError
from worker.jobs import Failure
from worker.rows import UnreadableRecord
from worker.status import ForbiddenMove, JobStatus
from worker.store import JobStore, Lease


def fail_unreadable(
    store: JobStore, error: UnreadableRecord, *, lease: Lease | None = None
) -> None:
    """End the job with that reason, unless it is in the hands of a worker, or in others than these.

    Its record stays as it is otherwise: the version that wrote it can retry it.
    """
    reason = Failure(type=type(error).__name__, message=str(error))
    with suppress(ForbiddenMove, JobError):  # it was moved meanwhile
        seen = store.document(error.job_id)
        store.move_unread(seen, JobStatus.FAILED, lease=lease, error=reason)


def cancel_unreadable(store: JobStore, job_id: str) -> None:
    """Cancel a job, and the steps it may have, without reading more than where they stand."""
    for each in (job_id, *store.children_ids(job_id)):
        seen = store.document(each)
        to = CANCEL.moves.get(JobStatus(seen["status"]))
        if to is not None:
            store.move_unread(seen, to)
