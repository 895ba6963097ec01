"""The REST client when the service, or the Redis behind it, goes away for a while."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sentiscope.client import Client, retry_after_s
from sentiscope.event_stream import parsed
from sentiscope.service_errors import Unreachable
from sentiscope.service_values import Event
from tests.app.job_service import FINETUNE
from tests.sentiscope.office import Office, opened, service
from tests.worker.redis_server import running_redis
from worker.status import JobStatus


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """One of this test's own: it is broken."""
    with running_redis(tmp_path / "redis") as redis, opened(tmp_path, redis) as made:
        yield made


def test_job_is_submitted_once_though_redis_was_away(office: Office) -> None:
    office.redis.kill()
    threading.Timer(2, office.redis.start).start()
    with Client(office.server.url, patience_s=60) as client:
        made = client.submit("finetune", FINETUNE["config"])
        assert [job.id for job in client.jobs()] == [made.id]


def test_stream_goes_on_after_the_last_event_when_the_service_was_killed(office: Office) -> None:
    port = int(office.server.url.rpartition(":")[2])
    told: list[Event] = []
    with Client(office.server.url, patience_s=60) as client:
        job_id = client.submit("finetune", FINETUNE["config"]).id
        listener = threading.Thread(target=lambda: told.extend(client.events(job_id)))
        lease = office.claim(job_id)
        office.tell(lease, {"event": "one"}, at=1)
        listener.start()
        time.sleep(1)
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
    with Client("http://127.0.0.1:9", patience_s=1) as client, pytest.raises(Unreachable):
        client.job("any")
    assert time.monotonic() - began < 5


def test_pages_of_a_list_are_one(office: Office) -> None:
    with Client(office.server.url) as client:
        made = [client.submit("finetune", FINETUNE["config"]).id for _ in range(5)]
        assert [job.id for job in client.jobs(limit=2)] == made[::-1]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("", 0.0), ("soon", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_time_to_wait_is_the_one_that_the_service_says(said: str, seconds: float) -> None:
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": said})) == seconds


def test_comments_and_what_was_cut_short_are_no_events() -> None:
    text = 'retry: 1000\n\n: here\n\nid: 1-0\nevent: a\ndata: {"b": 1}\n\nid: 2-0\ndata: {"b'
    (event,) = parsed(text.splitlines())
    assert event == Event(id="1-0", kind="a", data={"b": 1})
