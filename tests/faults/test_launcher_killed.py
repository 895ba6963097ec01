"""`kill -9` of the launcher itself: nothing is left behind, and the next one goes on."""

from pathlib import Path

import pytest

from sentiscope.client import Client
from sentiscope.launcher import DEMO
from tests.faults.plant import PATIENCE_S, PATIENT, SETTINGS, Plant
from tests.processes import until, working_in
from tests.sentiscope.launched import launched
from tests.training.generated import write_colours

pytestmark = pytest.mark.timeout(900)


def test_next_launcher_goes_on_with_the_job_of_one_that_was_killed(tmp_path: Path) -> None:
    for name in DEMO:
        (tmp_path / "var" / "datasets" / name).mkdir(parents=True)
    write_colours(tmp_path / "var" / "datasets", train=16, val=5, test=2)
    with launched(tmp_path, **SETTINGS) as running, Client(running.url) as client:
        plant = Plant(running, client)
        job_id = plant.submit()
        plant.wait_for_an_epoch(job_id)
        running.process.kill()
        until(lambda: None if working_in(tmp_path) else True, timeout_s=PATIENCE_S)
    with (
        launched(tmp_path, **SETTINGS) as running,
        Client(running.url, retries=PATIENT) as client,
    ):
        job = Plant(running, client).wait_for_the_end(job_id)
    assert job.status == "succeeded", job.error
