"""Mends what went wrong: jobs whose worker is gone, wake-ups that were lost, steps to follow."""

import logging
import threading
from collections.abc import Callable

import redis

from worker import pipelines, webhooks
from worker.catalogue import Catalogue
from worker.dependencies import fail_hopeless
from worker.jobs import Failure, JobRecord, Queue
from worker.queue import Dispatch
from worker.rows import UnreadableRecord
from worker.settings import JobSettings
from worker.status import ForbiddenMove, JobStatus
from worker.store import JobStore, UnknownJob
from worker.unreadable import fail_unreadable
from worker.uploads import sweep_uploads

_WAKE_AT_ONCE = 100
_LOG = logging.getLogger(__name__)


def sweep(store: JobStore, dispatch: Dispatch, settings: JobSettings) -> None:
    """One look at everything; safe to run in several processes at once.

    A part that fails is logged and does not keep the others from their work.
    """
    parts: tuple[Callable[[], object], ...] = (
        lambda: recover_expired(store, dispatch, settings),
        lambda: fail_exhausted(store, settings),
        lambda: fail_hopeless(store),
        lambda: pipelines.advance_all(store, settings),
        lambda: wake_ready(store, dispatch),
        lambda: sweep_uploads(store, settings),
        lambda: Catalogue(settings.datasets_root).sweep(),
    )
    for part in parts:
        try:
            part()
        except redis.RedisError:
            raise
        except Exception:
            _LOG.exception("a part of the sweep failed")


def recover_expired(store: JobStore, dispatch: Dispatch, settings: JobSettings) -> None:
    """Take jobs from workers that gave no sign of life for as long as a lease."""
    for job_id in store.expired():
        try:
            _recover(store, dispatch, settings, store.get(job_id))
        except (ForbiddenMove, UnknownJob):
            continue  # another was first
        except UnreadableRecord as error:
            _LOG.warning("a lost job: %s", error)
            fail_unreadable(store, error)


def wake_ready(store: JobStore, dispatch: Dispatch) -> None:
    """Wake workers for jobs that could start, in queues where no message waits."""
    for queue in Queue:
        if dispatch.waiting(queue) == 0:
            for job_id in store.ready(queue, _WAKE_AT_ONCE):
                dispatch.wake(job_id, queue)


def fail_exhausted(store: JobStore, settings: JobSettings) -> None:
    """End queued jobs that had all their attempts, as after the limit was lowered."""
    for queue in Queue:
        for job_id in store.ready(queue, _WAKE_AT_ONCE):
            try:
                record = store.get(job_id)
            except UnreadableRecord:
                continue  # a worker that takes it ends it
            if record.status is not JobStatus.QUEUED or record.attempts < settings.max_attempts:
                continue
            spent = Failure(
                type="AttemptsExhausted",
                message=f"it was started {record.attempts} times, the limit is "
                f"{settings.max_attempts}; a retry gives it new attempts",
            )
            store.move_from(record, JobStatus.FAILED, error=spent)


def _recover(store: JobStore, dispatch: Dispatch, settings: JobSettings, record: JobRecord) -> None:
    reason = f"worker {record.worker} gave no sign of life for {settings.lease_s:g} s"
    to, error = record.status, None
    if record.status is JobStatus.PAUSING:
        to = JobStatus.PAUSED
    elif record.status is JobStatus.CANCELLING:
        to = JobStatus.CANCELLED
    elif record.attempts < settings.max_attempts:
        to = JobStatus.QUEUED
    else:
        to = JobStatus.FAILED
        error = Failure(
            type="WorkerLost",
            message=f"{reason} in attempt {record.attempts} of {settings.max_attempts}",
        )
    recovered = store.recover(record.id, to, error=error)
    if recovered is None:
        return
    _LOG.warning("job %s: %s; it is %s now", record.id, reason, to)
    store.add_event(record.id, {"event": "recovered", "reason": reason, "status": to})
    if to is JobStatus.QUEUED:
        dispatch(recovered)


def _deliver(store: JobStore, _: Dispatch, settings: JobSettings) -> None:
    """What is due of webhooks; a receiver may take its time, and lost jobs do not wait for it."""
    try:
        webhooks.deliver_due(store, settings)
    except redis.RedisError:
        raise
    except Exception:
        _LOG.exception("webhooks cannot be delivered now")


class Sweeper:
    """Threads that sweep and deliver webhooks every so often until they are stopped."""

    def __init__(self, settings: JobSettings) -> None:
        self._settings = settings
        self._stopped = threading.Event()
        self._threads: tuple[threading.Thread, ...] = ()

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._threads:
            return
        self._threads = tuple(
            threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
            for name, work in (("sweep", sweep), ("webhooks", _deliver))
        )
        for thread in self._threads:
            thread.start()

    def tell(self) -> None:
        """End once what runs is done; the process need not wait for it."""
        self._stopped.set()

    def _run(self, work: Callable[[JobStore, Dispatch, JobSettings], None]) -> None:
        store, dispatch = JobStore.connected(self._settings), Dispatch.open(self._settings)
        is_away = False
        while not self._stopped.wait(self._settings.sweep_every_s):
            try:
                work(store, dispatch, self._settings)
                is_away = False
            except redis.RedisError as error:
                if not is_away:
                    _LOG.warning("Redis does not answer, waiting for it: %s", error)
                is_away = True
        dispatch.close()
        store.close()
