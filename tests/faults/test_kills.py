"""`kill -9` of every process in the middle of an epoch: the job goes on, once, and ends the same.

One job is sent through all of it; `make faults` repeats each kill on jobs of its own.
"""

import json
import os
import random
import time
from collections.abc import Callable, Sequence

import pytest

from sentiscope.service.job import Event
from tests.faults.plant import (
    KILLS,
    Crowd,
    Plant,
    listened,
    recovery_limit_s,
    training,
)
from tests.processes import until
from tests.training.generated import assert_same_run
from training.run import RunFolder

_ROUNDS = int(os.environ.get("FAULT_ROUNDS", "0"))
_CANCELLED_S = 10.0
Kill = Callable[[Plant, str], None]

pytestmark = pytest.mark.timeout(900)


def test_job_goes_on_after_every_kill_and_ends_as_if_there_had_been_none(
    plant: Plant, undisturbed: RunFolder
) -> None:
    disturb(plant, KILLS, undisturbed)


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
@pytest.mark.parametrize("number", range(1, _ROUNDS + 1))
def test_job_goes_on_after_a_kill_at_any_moment(
    plant: Plant, undisturbed: RunFolder, kill: Kill, number: int
) -> None:
    rng = random.Random(number)

    def kill_at_any_moment(plant: Plant, job_id: str) -> None:
        time.sleep(rng.uniform(0, 2))
        kill(plant, job_id)

    disturb(plant, [kill_at_any_moment], undisturbed)


def test_cancelled_job_frees_its_process_within_seconds(plant: Plant) -> None:
    job_id = plant.submit()
    plant.wait_for_an_epoch(job_id)
    plant.client.jobs.handle(job_id).cancel()
    until(lambda: None if training(plant.launched.folder, job_id) else True, timeout_s=_CANCELLED_S)
    assert plant.wait_for_the_end(job_id).status == "cancelled"


def disturb(plant: Plant, kills: Sequence[Kill], undisturbed: RunFolder) -> None:
    """Send a job through the kills, each in the middle of an epoch, and look at all it left."""
    job_id, crowd = plant.submit(), Crowd()
    with crowd.watched(plant.launched.folder, job_id), listened(plant, job_id) as told:
        for kill in kills:
            plant.wait_for_an_epoch(job_id)
            kill(plant, job_id)
            took_s, limit_s = plant.time_until_it_goes_on(job_id), recovery_limit_s()
            assert took_s <= limit_s, f"{kill}: it went on after {took_s:.0f} s, not {limit_s:.0f}"
        job = plant.wait_for_the_end(job_id)
    assert job.status == "succeeded", job.error
    assert len(crowd.seen) == 1, crowd.seen
    assert_nothing_lost_or_doubled(told, plant.run(job_id))
    assert_same_run(plant.run(job_id), undisturbed)


def assert_nothing_lost_or_doubled(told: list[Event], run: RunFolder) -> None:
    """The stream has told each event of the run once, in order; and no id twice."""
    assert len({event.id for event in told}) == len(told)
    of_the_run = [event.data for event in told if "at" in event.data]
    assert of_the_run == whole_lines(run)


def whole_lines(run: RunFolder) -> list[object]:
    """Events that were written to their end; a kill may have cut one short."""
    found = []
    for line in (run.path / "events.jsonl").read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
