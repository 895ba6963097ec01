"""A supervisor that ends, on request or with no warning, leaves a job that goes on elsewhere."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import is_alive
from tests.training.generated import ROOT, assert_same_run
from tests.worker.workplace import (
    LONG,
    Workplace,
    training_pid,
    wait_until,
)
from training.run import RunFolder
from worker.status import JobStatus

pytestmark = pytest.mark.timeout(300)


@contextmanager
def worker_of_its_own(place: Workplace, job_id: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that supervises the job, and is killed at the latest at the end."""
    root = place.settings.jobs_root.parent
    command = [sys.executable, "-m", "tests.worker.one_job", place.redis.url, job_id, str(root)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def pid_of(folder: Path) -> int:
    """The training process, once it was started."""
    wait_until((folder / ".process").exists)
    return training_pid(folder)


def test_a_job_of_a_worker_that_is_stopped_is_back_in_its_queue_with_a_checkpoint(
    place: Workplace, calm: RunFolder
) -> None:
    job_id = place.submit(**LONG)
    with place.at_work(job_id) as working:
        working.wait_for_a_step()
        with working.frozen():
            working.stop.set()
    queued = place.store.get(job_id)
    assert (queued.status, queued.attempts) == (JobStatus.QUEUED, 0)
    assert place.work(job_id).status is JobStatus.SUCCEEDED
    assert_same_run(working.run, calm)


def test_a_training_process_ends_by_itself_when_its_supervisor_was_killed(
    place: Workplace, calm: RunFolder
) -> None:
    job_id = place.submit(**LONG)
    run = RunFolder(place.folder(job_id))
    with worker_of_its_own(place, job_id) as worker:
        pid = pid_of(run.path)
        wait_until(run.last_checkpoint.exists)
        worker.kill()
        wait_until(lambda: not is_alive(pid), patience_s=20)
    wait_until(lambda: job_id in place.store.expired())
    assert place.store.recover(job_id, JobStatus.QUEUED)
    record = place.work(job_id)
    assert (record.status, record.attempts) == (JobStatus.SUCCEEDED, 2)
    assert_same_run(run, calm)
    lines = (run.path / "events.jsonl").read_text().splitlines()
    assert place.told(job_id) == [json.loads(line) for line in lines]
