"""Tells the store how an attempt ended, and so where its job stands."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from worker.ending import Asked, Ending, Failed, Finished, Killed, Stopped
from worker.errors import JobError
from worker.heartbeat import Heartbeat
from worker.jobs import Failure, JobResult
from worker.redaction import Redaction
from worker.settings import JobSettings
from worker.status import ForbiddenMove, JobStatus
from worker.store import JobStore, Lease

_LOG = logging.getLogger(__name__)
_RETRY_S = 0.5
_GIVE_UP_S = 60.0
"""After which the end stays untold: the job is recovered, and its results are found then."""

_GIVE_UP_STOPPING_S = 5.0
"""The same while the worker is being stopped."""

Outcome = tuple[JobStatus, dict[str, Any]]
"""The state a job goes to, and the fields that change with it."""


@dataclass(frozen=True, slots=True)
class Report:
    """How an attempt ended, for a store that may be away."""

    lease: Lease
    ending: Ending
    store: JobStore
    heartbeat: Heartbeat
    settings: JobSettings
    redaction: Redaction

    def send(self, stop: threading.Event) -> None:
        """Try until it is told, the job is another worker's, or it takes too long."""
        begun = time.monotonic()
        while not self._told():
            limit_s = _GIVE_UP_STOPPING_S if stop.is_set() else _GIVE_UP_S
            if time.monotonic() - begun > limit_s:
                return
            time.sleep(_RETRY_S)

    def _told(self) -> bool:
        """Whether there is nothing more to tell."""
        job_id = self.lease.job_id
        try:
            to, changes = self._outcome(self.heartbeat.beat())
            if to is JobStatus.QUEUED:
                event = {"event": "interrupted", "reason": self._interruption()}
                self.store.add_event(job_id, event, once=f"interrupted-{self.lease.token}")
            self.store.move(job_id, to, lease=self.lease, **changes)
        except ForbiddenMove:
            return False  # it was paused or cancelled this moment: look again
        except JobError as error:
            _LOG.warning("job %s: %s", job_id, error)
        except (RedisError, OSError) as error:
            _LOG.warning("job %s: its end cannot be told yet: %s", job_id, error)
            return False
        return True

    def _outcome(self, status: JobStatus) -> Outcome:
        """Where a job goes from `status`."""
        match self.ending:
            case Finished(results):
                return JobStatus.SUCCEEDED, {"result": _result(results)}
            case _ if status is JobStatus.CANCELLING:
                return JobStatus.CANCELLED, {}
            case Failed(failure):
                return self._failed(failure.type, failure.message)
            case Stopped(Asked.TIME_LIMIT):
                return self._failed("TimeLimitExceeded", "the job ran longer than its time limit")
            case Stopped():
                paused = status is JobStatus.PAUSING
                to = JobStatus.PAUSED if paused else JobStatus.QUEUED
                return to, {"attempts": max(self._attempts() - 1, 0)}  # it did nothing wrong
            case Killed(reason):
                return self._after_kill(status, reason)

    def _after_kill(self, status: JobStatus, reason: str) -> Outcome:
        if status is JobStatus.PAUSING:
            return JobStatus.PAUSED, {}
        attempts = self._attempts()
        if attempts < self.settings.max_attempts:
            return JobStatus.QUEUED, {}
        return self._failed("ProcessKilled", f"{reason}; that was attempt {attempts}, the last")

    def _failed(self, type: str, message: str) -> Outcome:
        error = Failure(type=type, message=self.redaction.text(message))
        return JobStatus.FAILED, {"error": error}

    def _interruption(self) -> str:
        """Why a job that nobody ended is back in its queue."""
        match self.ending:
            case Killed(reason):
                return self.redaction.text(reason)
            case Stopped(asked):
                return asked.value
        return ""

    def _attempts(self) -> int:
        return self.store.get(self.lease.job_id).attempts


def _result(results: Mapping[str, Any]) -> JobResult:
    return JobResult(
        model=results.get("model"), version=results.get("version"), summary=dict(results)
    )
