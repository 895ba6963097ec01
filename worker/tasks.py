"""The one task of workers: claim a job and see it through."""

import logging
import threading
from typing import Any, Protocol

from celery import Celery, Task, signals

from worker import pipelines
from worker.dependencies import fail_hopeless
from worker.jobs import JobRecord
from worker.queue import TASK, Dispatch, celery_app
from worker.rows import UnreadableRecord
from worker.settings import JobSettings
from worker.status import ForbiddenMove
from worker.stopping import Stopping
from worker.store import JobStore, Lease, UnknownJob
from worker.sweep import Sweeper, wake_ready
from worker.unreadable import fail_unreadable

_LOG = logging.getLogger(__name__)


class Work(Protocol):
    """What is done with a claimed job; when it returns, the job is out of the worker's hands."""

    def __call__(
        self,
        lease: Lease,
        record: JobRecord,
        *,
        store: JobStore,
        settings: JobSettings,
        stop: threading.Event,
    ) -> None: ...


def worker_app(settings: JobSettings, work: Work) -> Celery:
    """The application of a worker, which sweeps too; its processes tell each other to stop."""
    app, stopping, sweeper = celery_app(settings), Stopping(), Sweeper(settings)

    def run(task: Task, job_id: str) -> None:
        with stopping.watched() as stop:
            run_job(job_id, work, settings, worker=task.request.hostname, stop=stop)

    def child_started(**_: Any) -> None:
        stopping.listen()

    def main_ready(**_: Any) -> None:
        sweeper.start()

    def main_stops(**_: Any) -> None:
        stopping.tell()
        sweeper.tell()

    app.task(run, name=TASK, bind=True)
    signals.worker_process_init.connect(child_started, weak=False)
    signals.worker_ready.connect(main_ready, weak=False)
    signals.worker_shutting_down.connect(main_stops, weak=False)
    return app


def run_job(
    job_id: str, work: Work, settings: JobSettings, *, worker: str, stop: threading.Event
) -> None:
    """Claim a job and, if it may be started, work on it; then wake workers for what waited for it.

    A job that cannot be claimed is somebody else's, or has to wait: nothing is done. A worker that
    is to stop claims none, not even the one that it has just given back.
    """
    if stop.is_set():
        return
    store, dispatch = JobStore.connected(settings), Dispatch.open(settings)
    try:
        lease = store.claim(
            job_id, worker=worker, lease_s=settings.lease_s, max_attempts=settings.max_attempts
        )
        if lease is None:
            return
        try:
            work(lease, store.get(job_id), store=store, settings=settings, stop=stop)
        except UnreadableRecord as error:
            fail_unreadable(store, error, lease=lease)
        except Exception:  # the lease runs out, and the sweep hands the job on
            _LOG.exception("worker %s fell over job %s", worker, job_id)
        _follow_up(job_id, store, dispatch, settings)
    finally:
        dispatch.close()
        store.close()


def _follow_up(job_id: str, store: JobStore, dispatch: Dispatch, settings: JobSettings) -> None:
    """What the sweep would do some seconds later."""
    try:
        parent_id = store.get(job_id).parent_id
        if parent_id is not None:
            pipelines.advance(store, parent_id, settings=settings)
    except (ForbiddenMove, UnknownJob, UnreadableRecord):
        _LOG.warning("the pipeline of job %s cannot advance", job_id, exc_info=True)
    fail_hopeless(store)
    wake_ready(store, dispatch)
