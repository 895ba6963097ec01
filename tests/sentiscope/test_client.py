"""The client when the service, or the Redis behind it, goes away for a while."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentiscope.client import Client, Event, JobHandle, Retries, Unreachable
from tests.app.job_service import FINETUNE
from tests.processes import until
from tests.sentiscope.office import Office, opened, service
from tests.worker.redis_server import running_redis
from worker.status import JobStatus

PATIENT = Retries(attempts=1000, patience_s=60)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """One of this test's own: it is broken."""
    with running_redis(tmp_path / "redis") as redis, opened(tmp_path, redis) as made:
        yield made


def listen(job: JobHandle, told: list[Event]) -> None:
    """Hear all events of a job, each when it comes."""
    for event in job.watch():
        told.append(event)


def test_job_is_submitted_once_though_redis_was_away(office: Office) -> None:
    office.redis.kill()
    later = threading.Timer(2, office.redis.start)
    later.start()
    with Client(office.server.url, retries=PATIENT) as client:
        made = client.jobs.submit("finetune", FINETUNE["config"])
        assert [job.id for job in client.jobs.list()] == [made.id]
    later.join()


def test_stream_goes_on_after_the_last_event_when_the_service_was_killed(office: Office) -> None:
    port = int(office.server.url.rpartition(":")[2])
    told: list[Event] = []
    with Client(office.server.url, retries=PATIENT) as client:
        job = client.jobs.submit("finetune", FINETUNE["config"])
        listener = threading.Thread(target=listen, args=(job, told))
        lease = office.claim(job.id)
        office.tell(lease, {"event": "one"}, at=1)
        listener.start()
        until(lambda: any(event.kind == "one" for event in told) or None, timeout_s=30)
        office.server.process.kill()
        office.server.process.wait()
        office.tell(lease, {"event": "two"}, at=2)
        with service(office.folder / "again", office.settings, port=port):
            office.tell(lease, {"event": "three"}, at=3)
            office.end(lease, JobStatus.SUCCEEDED)
            listener.join(30)
    kinds = [event.kind for event in told]
    assert kinds == ["status", "status", "one", "two", "three", "status"]


def test_nobody_is_waited_for_beyond_the_patience() -> None:
    began = time.monotonic()
    retries = Retries(attempts=1000, patience_s=1)
    with Client("http://127.0.0.1:9", retries=retries) as client, pytest.raises(Unreachable):
        client.jobs.get("any")
    assert time.monotonic() - began < 5
