"""What a run tells reaches the store, whatever became of its file before."""

import json
import threading
from pathlib import Path

import pytest

from tests.worker.celery_worker import eventually
from tests.worker.records import record
from worker.ending import Asked, Stopped
from worker.heartbeat import Heartbeat
from worker.redaction import Redaction
from worker.report import Report
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, Lease

TOLD = {"event": "epoch", "epoch": 1}


@pytest.fixture
def lease(store: JobStore) -> Lease:
    made = store.create([record()])
    lease = store.claim(made.id, worker="w", lease_s=60, max_attempts=9)
    assert lease
    return lease


def heartbeat(store: JobStore, lease: Lease, file: Path) -> Heartbeat:
    redaction = Redaction.of(JobSettings())
    return Heartbeat(lease, store=store, lease_s=60, events_file=file, redaction=redaction)


def epochs(store: JobStore, lease: Lease) -> list[int]:
    items = store.events(lease.job_id).items
    return [event.data["epoch"] for event in items if event.data["event"] == "epoch"]


@pytest.mark.parametrize("left", ["", '{"event": "epo'])
def test_events_of_a_file_that_was_lost_or_cut_are_told_by_the_next_attempt(
    store: JobStore, lease: Lease, tmp_path: Path, left: str
) -> None:
    file = tmp_path / "events.jsonl"
    store.report(lease, events=[], offset=500)
    if left:
        file.write_text(left)
    beating = heartbeat(store, lease, file)
    file.write_text(f"{left}\n{json.dumps(TOLD)}\n")
    beating.beat()
    assert epochs(store, lease) == [1]
    heartbeat(store, lease, file).beat()
    assert epochs(store, lease) == [1]


def test_a_file_that_cannot_be_read_for_a_while_costs_nothing(
    store: JobStore, lease: Lease, tmp_path: Path
) -> None:
    settings, file = JobSettings(), tmp_path / "events.jsonl"
    file.mkdir()
    with heartbeat(store, lease, file) as beating:
        eventually(lambda: beating.status is JobStatus.RUNNING, lambda: beating.status)
        file.rmdir()
        file.write_text(json.dumps(TOLD) + "\n")
        eventually(lambda: epochs(store, lease) == [1], lambda: epochs(store, lease))
    file.unlink()
    file.mkdir()
    ending, redaction = Stopped(Asked.WORKER_STOPS), Redaction.of(settings)
    report = Report(lease, ending, store, beating, settings, redaction)
    mended = threading.Timer(0.2, file.rmdir)
    mended.start()
    report.send(threading.Event())
    assert store.get(lease.job_id).status is JobStatus.QUEUED
