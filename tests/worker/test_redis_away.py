"""While Redis is away a training goes on for as long as its lease lasts, and nothing is lost."""

import json

import pytest

from tests.processes import is_alive
from tests.training.generated import assert_same_run
from tests.worker.workplace import (
    LONG,
    Workplace,
    training_pid,
    wait_until,
)
from training.run import RunFolder
from worker.status import JobStatus

pytestmark = pytest.mark.timeout(300)


def test_a_job_that_ends_while_redis_is_away_is_reported_when_it_is_back(
    place: Workplace,
) -> None:
    job_id = place.submit(**LONG)
    with place.at_work(job_id, lease_s=120) as working:
        working.wait_for_a_step()
        place.redis.kill()
        wait_until(working.run.results_file.exists)
        wait_until(lambda: not is_alive(training_pid(working.run.path)))
        place.redis.start()
    assert place.store.get(job_id).status is JobStatus.SUCCEEDED
    lines = (working.run.path / "events.jsonl").read_text().splitlines()
    assert place.told(job_id) == [json.loads(line) for line in lines]


def test_a_job_whose_lease_may_have_run_out_is_stopped_with_a_checkpoint(
    place: Workplace, calm: RunFolder
) -> None:
    job_id = place.submit(**LONG)
    with place.at_work(job_id, lease_s=3) as working:
        working.wait_for_a_step()
        with working.frozen():
            place.redis.kill()
        wait_until(lambda: not is_alive(training_pid(working.run.path)))
        assert not working.run.results_file.exists()
        place.redis.start()
    assert place.store.get(job_id).status is JobStatus.QUEUED
    assert place.work(job_id).status is JobStatus.SUCCEEDED
    assert_same_run(RunFolder(place.folder(job_id)), calm)
