"""Ctrl-C and `kill -9` of the launcher: nothing is left behind, and the next one goes on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sentiscope.client import Client
from sentiscope.launcher import DEMO
from tests.faults.plant import PATIENT, SETTINGS, Plant
from tests.processes import until, working_in
from tests.sentiscope.launched import launched
from tests.training.generated import write_colours

pytestmark = pytest.mark.timeout(900)
_GONE_S = 15.0
FEW = 8
"""Epochs: the job is stopped twice on its way."""


@contextmanager
def at_work(folder: Path) -> Iterator[Plant]:
    """A launcher in the folder, and a client that waits out its start."""
    with (
        launched(folder, **SETTINGS) as running,
        Client(running.url, retries=PATIENT) as client,
    ):
        yield Plant(running, client)


def test_job_goes_on_after_ctrl_c_and_after_the_launcher_was_killed(tmp_path: Path) -> None:
    for name in DEMO:
        (tmp_path / "var" / "datasets" / name).mkdir(parents=True)
    write_colours(tmp_path / "var" / "datasets", train=16, val=5, test=2)
    with at_work(tmp_path) as plant:
        job_id = plant.submit(epochs=FEW)
        plant.wait_for_an_epoch(job_id)
        assert attempts(plant, job_id) == 1
        assert plant.launched.stop(signal.SIGINT)[0] == 0
        assert not working_in(tmp_path)
    assert not plant.run(job_id).results_file.exists()
    with at_work(tmp_path) as plant:
        plant.wait_for_an_epoch(job_id)
        assert statuses(plant, job_id) == ["queued", "running", "queued", "running"]
        assert attempts(plant, job_id) == 1
        plant.launched.process.kill()
        until(lambda: None if working_in(tmp_path) else True, timeout_s=_GONE_S)
    with at_work(tmp_path) as plant:
        job = plant.wait_for_the_end(job_id)
    assert job.status == "succeeded", job.error


def attempts(plant: Plant, job_id: str) -> int:
    """Those that count against the job."""
    return int(plant.client.jobs.handle(job_id).record()["attempts"])


def statuses(plant: Plant, job_id: str) -> list[str]:
    """All that the job has had, in order."""
    page = httpx.get(f"{plant.launched.url}/v1/jobs/{job_id}/events?limit=1000", timeout=30)
    return [item["status"] for item in page.json()["items"] if item["event"] == "status"]
