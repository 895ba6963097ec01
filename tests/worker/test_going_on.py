"""A job whose process ended early goes on from its checkpoint, as if nothing had happened."""

import pytest

from tests.training.generated import assert_same_run
from tests.worker.workplace import LONG, Workplace
from training.run import RunFolder
from worker.status import JobStatus

pytestmark = pytest.mark.timeout(300)


def test_a_paused_job_goes_on_with_exact_state(place: Workplace, calm: RunFolder) -> None:
    job_id = place.submit(**LONG)
    with place.at_work(job_id) as working:
        working.wait_for_a_step()
        with working.frozen():
            working.move(JobStatus.PAUSING)
    paused = place.store.get(job_id)
    assert (paused.status, paused.attempts) == (JobStatus.PAUSED, 0)
    assert not working.run.results_file.exists()
    place.store.move(job_id, JobStatus.QUEUED)
    assert place.work(job_id).status is JobStatus.SUCCEEDED
    assert_same_run(working.run, calm)


def test_a_job_whose_process_was_killed_is_queued_again_and_goes_on(
    place: Workplace, calm: RunFolder
) -> None:
    job_id = place.submit(**LONG)
    with place.at_work(job_id) as working:
        working.wait_for_a_step()
        working.kill()
    queued = place.store.get(job_id)
    assert (queued.status, queued.attempts) == (JobStatus.QUEUED, 1)
    told = place.told(job_id)
    interrupted = [event["reason"] for event in told if event["event"] == "interrupted"]
    assert interrupted == ["the process was killed by SIGKILL"]
    record = place.work(job_id)
    assert (record.status, record.attempts) == (JobStatus.SUCCEEDED, 2)
    assert_same_run(working.run, calm)


def test_a_job_that_is_killed_again_and_again_has_failed(place: Workplace) -> None:
    job_id = place.submit(**LONG)
    with place.at_work(job_id, max_attempts=1) as working:
        working.wait_for_a_step()
        working.kill()
    record = place.store.get(job_id)
    assert record.status is JobStatus.FAILED
    assert record.error is not None
    assert record.error.type == "ProcessKilled"
    assert "SIGKILL; that was attempt 1, the last" in record.error.message
