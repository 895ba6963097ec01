"""Two workers over one Redis and one folder: each does a job, and one takes over from the other."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sentiscope.service.job import Job
from tests.app.server import environment
from tests.faults.plant import PATIENCE_S, SETTINGS, Plant
from tests.processes import until, working_in
from worker.embedded import EmbeddedRedis

pytestmark = pytest.mark.timeout(900)
FEW = 6


@contextmanager
def second_worker(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Of the launcher's queues, in a process group of its own; it has a child to work already."""
    url = EmbeddedRedis.in_folder(folder / "var" / "redis").url
    with (folder / "second.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sentiscope", "worker", "--name", "second"],
            cwd=folder,
            env=environment(redis_url=url, **SETTINGS),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def child() -> int | None:
        return next((p.pid for p in working_in(folder) if p.parent == process.pid), None)

    try:
        until(child, timeout_s=PATIENCE_S)  # else the first might have done both jobs by then
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_two_jobs_run_at_once_and_one_worker_takes_over_from_the_other(plant: Plant) -> None:
    def running() -> tuple[str, ...] | None:
        records = [plant.client.jobs.handle(each).record() for each in jobs]
        if any(record["status"] != "running" for record in records):
            return None
        return tuple(str(record["worker"]) for record in records)

    def ended() -> list[Job] | None:
        found = [plant.client.jobs.get(each) for each in jobs]
        return found if all(job.has_ended for job in found) else None

    with second_worker(plant.launched.folder) as second:
        jobs = [plant.submit(epochs=FEW) for _ in range(2)]
        workers = until(running, timeout_s=PATIENCE_S)
        assert len(set(workers)) == 2
        taken_over = jobs[[name.startswith("second@") for name in workers].index(True)]
        plant.wait_for_an_epoch(taken_over)
        os.killpg(second.pid, signal.SIGKILL)
        done = until(ended, timeout_s=600)
    assert [job.status for job in done] == ["succeeded", "succeeded"]
    assert not plant.client.jobs.handle(taken_over).record()["worker"].startswith("second@")
