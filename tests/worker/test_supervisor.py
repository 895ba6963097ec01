"""One claimed job from its start to its end, with a real training process and a real store."""

import json
import re
import threading
import time
from pathlib import Path

import pytest

from tests.processes import is_alive
from tests.tiny_bundle import write_tiny_bundle
from tests.worker.records import offset
from tests.worker.workplace import (
    LONG,
    Workplace,
    training_pid,
    wait_until,
)
from worker.job_folder import JobFolder
from worker.jobs import JobRecord
from worker.status import JobStatus
from worker.supervisor import supervise

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def done(place: Workplace) -> JobRecord:
    """A job that nobody disturbed."""
    return place.work(place.submit(epochs=1))


def story(place: Workplace, job_id: str) -> list[str]:
    """The states and the kinds of event, in order."""
    page = place.store.events(job_id, limit=1000)
    return [event.data.get("status", event.data["event"]) for event in page.items]


def test_a_job_that_ran_to_its_end_has_succeeded(done: JobRecord) -> None:
    assert done.status is JobStatus.SUCCEEDED
    assert done.error is None
    assert done.result is not None
    assert done.result.summary["best_epoch"] == 1


def test_its_progress_and_figures_are_in_its_record(done: JobRecord) -> None:
    assert (done.progress.stage, done.progress.epoch, done.progress.epochs) == ("training", 1, 1)
    assert (done.progress.fraction, done.progress.eta_seconds) == (1, 0)
    assert {"train.single", "val.single.top1"} <= done.metrics.keys()


def test_its_events_are_told_in_order(place: Workplace, done: JobRecord) -> None:
    events = story(place, done.id)
    assert events[:2] == ["queued", "running"]
    assert events[-3:] == ["epoch", "finished", "succeeded"]
    file = place.folder(done.id) / "events.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert place.told(done.id) == lines
    assert offset(place.store, done.id) == file.stat().st_size


def test_its_log_has_whole_lines(place: Workplace, done: JobRecord) -> None:
    log = (place.folder(done.id) / "log.txt").read_text()
    assert "attempt 1, worker tested" in log
    assert "epoch 1/1: 100%" in log
    assert "\r" not in log


def test_results_of_an_attempt_that_could_not_report_them_are_found(
    place: Workplace, done: JobRecord
) -> None:
    job_id = place.submit()
    folder = place.folder(job_id)
    folder.mkdir()
    (folder / "results.json").write_text('{"best_epoch": 7}')
    record = place.work(job_id)
    assert record.status is JobStatus.SUCCEEDED
    assert record.result is not None
    assert record.result.summary == {"best_epoch": 7}
    assert not (folder / ".process").exists()


def test_a_job_that_cannot_be_done_has_failed_with_the_reason(place: Workplace) -> None:
    record = place.work(place.submit(datasets=[{"name": "sounds", "kinds": ["single"]}]))
    assert record.status is JobStatus.FAILED
    assert record.error is not None
    assert "sounds" in record.error.message
    assert str(place.settings.datasets_root) not in record.error.message
    log = (place.folder(record.id) / "log.txt").read_text()
    assert "error: sounds has no dataset.json" in log
    assert re.findall(r"(?<![\w.-])/\w+", log) == []


def test_a_job_whose_model_is_not_there_has_failed_before_it_started(place: Workplace) -> None:
    datasets = [{"name": "colours", "kinds": ["single"]}]
    record = place.work(place.submit("evaluate", bundle="nothing@1", datasets=datasets))
    assert record.status is JobStatus.FAILED
    assert record.error is not None
    assert record.error.type == "UnknownModel"


def test_a_job_finds_the_models_that_came_with_the_code_where_the_operator_has_them(
    place: Workplace, tmp_path: Path
) -> None:
    write_tiny_bundle(tmp_path / "tiny" / "1")
    datasets = [{"name": "colours", "kinds": ["single"]}]
    job_id = place.submit("evaluate", bundle="tiny@1", datasets=datasets)
    assert place.work(job_id, shipped_root=tmp_path).status is JobStatus.SUCCEEDED


def test_a_job_for_more_gpus_than_there_are_has_failed(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    record = place.work(place.submit(gpus=2, compute={"device": "cuda"}))
    assert record.error is not None
    assert "asks for 2 GPUs and its worker sees 0" in record.error.message


def test_a_cancelled_job_is_ended_within_ten_seconds(place: Workplace) -> None:
    job_id = place.submit(**LONG)
    with place.at_work(job_id) as working:
        working.wait_for_a_step()
        pid = training_pid(working.run.path)
        asked = time.monotonic()
        with working.frozen():
            working.move(JobStatus.CANCELLING)
        wait_until(lambda: not is_alive(pid))
        assert time.monotonic() - asked < 10
    assert place.store.get(job_id).status is JobStatus.CANCELLED
    statuses = [event for event in story(place, job_id) if event.startswith("cancel")]
    assert statuses == ["cancelling", "cancelled"]


def test_a_job_that_takes_too_long_has_failed(place: Workplace) -> None:
    record = place.work(place.submit(**LONG), time_limit_s=0.5)
    assert record.status is JobStatus.FAILED
    assert record.error is not None
    assert record.error.type == "TimeLimitExceeded"


def test_a_worker_that_lost_the_job_ends_the_process_and_moves_nothing(place: Workplace) -> None:
    job_id = place.submit(**LONG)
    with place.at_work(job_id) as working:
        working.wait_for_a_step()
        with working.frozen():
            last = working.run.last_checkpoint.read_bytes()
            place.store.move(job_id, JobStatus.QUEUED)  # as the sweep does: its lease has expired
            other = place.claim(job_id)
            (working.run.path / ".fence").write_text(f"{other.token}\n")
    record = place.store.get(job_id)
    assert (record.status, record.attempts) == (JobStatus.RUNNING, 2)
    assert working.run.last_checkpoint.read_bytes() == last
    place.store.move(job_id, JobStatus.FAILED, lease=other)


def test_an_attempt_that_comes_late_leaves_the_folder_to_the_later_one(place: Workplace) -> None:
    job_id = place.submit()
    late = place.claim(job_id)
    place.store.move(job_id, JobStatus.QUEUED)  # as the sweep does: its lease has expired
    other = place.claim(job_id)
    JobFolder(place.folder(job_id)).take(other.token)
    supervise(
        late,
        place.store.get(job_id),
        store=place.store,
        settings=place.settings,
        stop=threading.Event(),
    )
    assert place.store.renew(other, 9) is JobStatus.RUNNING
    assert not (place.folder(job_id) / "config.json").exists()


def test_a_folder_from_after_a_restored_backup_of_redis_costs_no_attempt(place: Workplace) -> None:
    job_id = place.submit()
    place.folder(job_id).mkdir()
    (place.folder(job_id) / ".fence").write_text("9999999\n")
    (place.folder(job_id) / "results.json").write_text('{"best_epoch": 7}')
    queued = place.work(job_id)
    assert (queued.status, queued.attempts) == (JobStatus.QUEUED, 0)
    assert "a backup was restored" in place.told(job_id)[-1]["reason"]
    assert place.work(job_id).status is JobStatus.SUCCEEDED
