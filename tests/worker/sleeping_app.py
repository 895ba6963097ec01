"""A worker whose jobs sleep: `celery --app tests.worker.sleeping_app worker`.

A job writes JOBS_ROOT/<id>.started, then sleeps in a process of its own until JOBS_ROOT/<id>.finish
is there, or until it is to stop: then it goes back to its queue, as trainings do.
"""

import os
import subprocess
import threading

from worker.jobs import JobRecord
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, Lease
from worker.tasks import worker_app


def sleep(
    lease: Lease,
    record: JobRecord,
    *,
    store: JobStore,
    settings: JobSettings,
    stop: threading.Event,
) -> None:
    """The work of a job."""
    process = subprocess.Popen(["sleep", "600"])
    started, finish = (settings.jobs_root / f"{record.id}.{end}" for end in ("started", "finish"))
    with started.open("a") as file:
        file.write(f"{record.attempts} {os.getpid()} {os.getppid()}\n")
    try:
        while not (finish.exists() or stop.wait(0.05)):
            continue
    finally:
        process.terminate()
        process.wait()
    if finish.exists():
        store.move(record.id, JobStatus.SUCCEEDED, lease=lease)
    else:
        store.move(record.id, JobStatus.QUEUED, lease=lease, attempts=record.attempts - 1)


app = worker_app(JobSettings(), sleep)
