"""Runs one claimed job until the store can be told: finished, failed, paused, or to go on."""

import logging
import threading
import time
from dataclasses import dataclass

from redis.exceptions import RedisError

from models.errors import ModelError
from worker.attempt import Attempt, FolderBusy
from worker.ending import Asked, Ending, Failed, Killed, Stopped
from worker.errors import JobError
from worker.heartbeat import Heartbeat
from worker.job_folder import JobFolder, Superseded
from worker.jobs import Failure, JobRecord
from worker.redaction import Redaction
from worker.report import Report
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, Lease

_LOG = logging.getLogger(__name__)


def supervise(
    lease: Lease,
    record: JobRecord,
    *,
    store: JobStore,
    settings: JobSettings,
    stop: threading.Event,
) -> None:
    """Work on a job, held by `lease`, until it ended or is not this worker's any more.

    `stop` asks for a checkpoint, after which the job is back in its queue.
    """
    folder = JobFolder(settings.jobs_root.absolute() / record.id)
    redaction = Redaction.of(settings)
    heartbeat = Heartbeat(
        lease,
        store=store,
        lease_s=settings.lease_s,
        events_file=folder.events_file,
        redaction=redaction,
    )
    wishes = Wishes(heartbeat, stop, settings, _deadline(record, settings))
    attempt = Attempt(lease, record, settings, folder, wishes)
    with heartbeat:
        ending = _ending_of(attempt, store)
    if ending is not None and not heartbeat.lost:
        Report(lease, ending, store, heartbeat, settings, redaction).send(stop)


@dataclass(frozen=True, slots=True)
class Wishes:
    """Why the work should end, asked again and again; the weightiest reason counts."""

    heartbeat: Heartbeat
    stop: threading.Event
    settings: JobSettings
    deadline: float | None

    def __call__(self) -> Asked | None:
        """The reason; none while there is none."""
        reasons = {
            Asked.LEASE_LOST: self.heartbeat.lost,
            Asked.CANCEL: self.heartbeat.status is JobStatus.CANCELLING,
            Asked.TIME_LIMIT: self.deadline is not None and time.monotonic() > self.deadline,
            Asked.WORKER_STOPS: self.stop.is_set(),
            Asked.REDIS_AWAY: self.heartbeat.silence_s > self.settings.lease_s,
            Asked.PAUSE: self.heartbeat.status is JobStatus.PAUSING,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)


def _deadline(record: JobRecord, settings: JobSettings) -> float | None:
    limit_s = record.time_limit_s or settings.time_limit_s
    return None if limit_s is None else time.monotonic() + limit_s


def _ending_of(attempt: Attempt, store: JobStore) -> Ending | None:
    """How the attempt ended; none where a later one has taken the job's folder."""
    try:
        return attempt.run()
    except Superseded as error:
        return _overtaken(attempt, error, store)
    except FolderBusy as error:
        return Killed(str(error))
    except (JobError, ModelError, OSError) as error:
        return Failed(Failure(type=type(error).__name__, message=str(error)))


def _overtaken(attempt: Attempt, error: Superseded, store: JobStore) -> Ending | None:
    """What to tell of a folder that a later attempt had: nothing, if the store knows of that one.

    If it does not, it is older than the folder, and the next attempt has to be later than both.
    """
    try:
        store.outrun(attempt.lease, error.found)
    except (JobError, RedisError):
        _LOG.warning("job %s: %s", attempt.record.id, error)
        return None
    return Stopped(Asked.RESTORED)
