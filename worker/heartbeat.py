"""A worker's signs of life for one job: its lease is renewed, and what its run tells is passed on.

In a thread of its own, so that a Redis that hangs holds up neither deadlines nor signals.
"""

import logging
import threading
import time
from pathlib import Path
from typing import Self

from redis.exceptions import RedisError

from worker.account import Account
from worker.errors import JobError
from worker.redaction import Redaction
from worker.status import JobStatus
from worker.store import JobStore, Lease
from worker.tail import EventBatch, events_from, size_of

_LOG = logging.getLogger(__name__)
_MOST_S = 1.0
"""Between two beats: a cancellation is seen this soon."""


class Heartbeat:
    """Beats from `with` to its end; what it last heard is in its attributes."""

    def __init__(
        self,
        lease: Lease,
        *,
        store: JobStore,
        lease_s: float,
        events_file: Path,
        redaction: Redaction,
    ) -> None:
        self._lease, self._store, self._lease_s = lease, store, lease_s
        self._events_file, self._redaction = events_file, redaction
        self._size = size_of(events_file)  # before this attempt adds to it
        self._offset: int | None = None
        self._unanswered: EventBatch | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self.status: JobStatus | None = None
        """The job's, as last heard."""
        self.heard_at = time.monotonic()
        """When a renewal that succeeded was sent; at first, when the job was claimed."""
        self.lost = False
        """Whether the job is another worker's now."""
        self.account = Account()
        """Of what was passed on."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def silence_s(self) -> float:
        """Seconds since the last renewal: once they reach the lease's, it may have run out."""
        return time.monotonic() - self.heard_at

    def beat(self) -> JobStatus:
        """Renew the lease and pass on what is new; the job's status. Raises as the store does."""
        sent = time.monotonic()
        status = self._store.renew(self._lease, self._lease_s)
        self.heard_at, self.status = sent, status
        while self._pass_on():
            pass
        return status

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                self.beat()
            except JobError as error:
                _LOG.warning("job %s: %s", self._lease.job_id, error)
                self.lost = True
                return
            except RedisError as error:
                _LOG.warning("job %s: Redis does not answer: %s", self._lease.job_id, error)
            except OSError as error:
                _LOG.warning("job %s: its events cannot be read: %s", self._lease.job_id, error)
            self._done.wait(min(self._lease_s / 3, _MOST_S))

    def _pass_on(self) -> bool:
        """Report some events; false where none is new. One without an answer is sent again."""
        if self._offset is None:
            self._offset = self._store.rewind(self._lease, self._size)
        batch = self._unanswered or events_from(self._events_file, self._offset)
        if batch is None:
            return False
        self._unanswered = batch
        events = [self._redaction.event(event) for event in batch.events]
        account = self.account.after(events)
        self._store.report(
            self._lease,
            events=events,
            offset=batch.offset,
            progress=account.progress,
            metrics=account.metrics,
        )
        self._unanswered, self._offset, self.account = None, batch.offset, account
        return True
