"""Webhooks against a real Redis and a real HTTP server."""

import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from tests.worker.pipeline_jobs import pipeline_config, submitted, succeed_all
from tests.worker.redis_server import RedisServer
from training.config.importing import ImportConfig
from worker.deliveries import Deliveries, Delivery
from worker.jobs import Failure, JobKind, JobRecord, JobSpec
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore
from worker.webhooks import BACK_OFF_S, deliver_due, signature

SECRET = "a key of the operator"


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass
class Receiver:
    """What the server got, and what it answers."""

    url: str
    status: int = 204
    got: list[Received] = field(default_factory=list)
    location: str | None = None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append(Received(self.path, dict(self.headers), body))
            self.send_response(state.status)
            if state.location:
                self.send_header("Location", state.location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[JobStore]:
    opened = JobStore.open(redis_server.url, prefix="test", webhooks=True)
    yield opened
    opened.close()


@pytest.fixture
def settings(receiver: Receiver) -> JobSettings:
    return told_to(f"{receiver.url}/hook")


def told_to(url: str) -> JobSettings:
    return JobSettings.model_validate({"webhook_url": url, "webhook_secret": SECRET})


def queued(store: JobStore) -> JobRecord:
    spec = JobSpec(kind=JobKind.PRETRAIN, config=pipeline_config().stimuli)
    return store.create([JobRecord.of(spec)])


def ended(store: JobStore, status: JobStatus = JobStatus.SUCCEEDED) -> JobRecord:
    """A job that ran and ended."""
    job = queued(store)
    assert store.claim(job.id, worker="test", lease_s=60, max_attempts=3)
    return store.move(job.id, status)


def make_due(store: JobStore) -> None:
    """Let the time pass that all deliveries wait for."""
    for name, _ in waiting(store):
        store.client.zadd("test:webhooks", {name: 0})


def waiting(store: JobStore) -> list[tuple[str, float]]:
    """Every delivery and when it is due, in milliseconds."""
    found = store.client.zrange("test:webhooks", 0, -1, withscores=True)
    return cast(list[tuple[str, float]], found)


def test_an_end_is_told_with_the_record(
    store: JobStore, receiver: Receiver, settings: JobSettings
) -> None:
    job = ended(store)
    assert deliver_due(store, settings) == 1
    (got,) = receiver.got
    assert got.path == "/hook"
    assert got.headers["Content-Type"] == "application/json"
    assert got.told["type"] == "job.succeeded"
    assert got.told["id"] == f"{job.id}:{job.revision}"
    assert got.told["created_at"].endswith("Z")
    assert JobRecord.model_validate(got.told["job"]) == job
    assert deliver_due(store, settings) == 0


def test_a_delivery_tells_nothing_of_the_hosts_folders(
    store: JobStore, receiver: Receiver, settings: JobSettings
) -> None:
    folder = settings.uploads_root.absolute()
    config = ImportConfig(name="mine", format="canonical", sources=(folder / "fotos-é.zip",))
    job = store.create([JobRecord.of(JobSpec(kind=JobKind.IMPORT, config=config))])
    store.move(job.id, JobStatus.CANCELLED)
    assert deliver_due(store, settings) == 1
    assert receiver.got[0].told["job"]["config"]["sources"] == ["fotos-é.zip"]


def test_the_signature_proves_the_sender(
    store: JobStore, receiver: Receiver, settings: JobSettings
) -> None:
    ended(store)
    deliver_due(store, settings)
    (got,) = receiver.got
    parts = dict(part.split("=") for part in got.headers["Sentiscope-Signature"].split(","))
    signed = parts["t"].encode() + b"." + got.body
    assert parts["v1"] == hmac.new(SECRET.encode(), signed, sha256).hexdigest()


def test_the_documented_check_accepts_the_genuine_alone(
    store: JobStore, receiver: Receiver, settings: JobSettings
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    documented: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], documented)
    ended(store)
    deliver_due(store, settings)
    (got,) = receiver.got
    header = got.headers["Sentiscope-Signature"]
    assert documented["is_genuine"](header, got.body, SECRET)
    assert not documented["is_genuine"](header, got.body + b" ", SECRET)
    assert not documented["is_genuine"](header, got.body, "another key")
    assert not documented["is_genuine"](signature(SECRET, got.body, at=1), got.body, SECRET)


def test_a_signature_is_a_known_value() -> None:
    """Made with `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key`."""
    digest = "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
    assert signature("key", b'{"a":1}', at=1700000000) == f"t=1700000000,v1={digest}"


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.SUCCEEDED])
def test_every_way_to_end_has_its_type(
    store: JobStore, receiver: Receiver, settings: JobSettings, status: JobStatus
) -> None:
    job = queued(store)
    store.claim(job.id, worker="test", lease_s=60, max_attempts=3)
    if status is JobStatus.CANCELLED:
        store.move(job.id, JobStatus.CANCELLING)
    store.move(job.id, status)
    deliver_due(store, settings)
    assert [got.told["type"] for got in receiver.got] == [f"job.{status}"]


def test_only_ends_are_told(store: JobStore, receiver: Receiver, settings: JobSettings) -> None:
    job = queued(store)
    store.move(job.id, JobStatus.PAUSED)
    assert deliver_due(store, settings) == 0
    assert receiver.got == []


def test_a_retried_job_is_told_of_again_and_each_with_its_own_record(
    store: JobStore, receiver: Receiver, settings: JobSettings
) -> None:
    job = ended(store, JobStatus.FAILED)
    store.move(job.id, JobStatus.QUEUED)
    store.claim(job.id, worker="test", lease_s=60, max_attempts=3)
    store.move(job.id, JobStatus.SUCCEEDED)
    assert deliver_due(store, settings) == 2
    told = [got.told for got in receiver.got]
    assert {one["type"] for one in told} == {"job.failed", "job.succeeded"}
    assert all(one["type"] == f"job.{one['job']['status']}" for one in told)
    assert len({one["id"] for one in told}) == 2


def test_a_pipeline_and_its_steps_are_told_of(
    store: JobStore, receiver: Receiver, settings: JobSettings
) -> None:
    parent = submitted(store)
    succeed_all(store, parent, results={})
    for to in (JobStatus.RUNNING, JobStatus.FAILED):
        store.move(parent.id, to, error=Failure(type="X", message="y"))
    assert deliver_due(store, settings) == 7
    assert {got.told["job"]["kind"] for got in receiver.got} >= {"pipeline", "export"}


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_refused_delivery_is_repeated_the_same_later(
    store: JobStore, receiver: Receiver, settings: JobSettings, status: int
) -> None:
    ended(store)
    receiver.status, receiver.location = status, f"{receiver.url}/elsewhere"
    assert deliver_due(store, settings) == 0
    assert deliver_due(store, settings) == 0  # it is not due yet
    receiver.status = 200
    make_due(store)
    assert deliver_due(store, settings) == 1
    first, second = receiver.got
    assert first.body == second.body
    assert {first.path, second.path} == {"/hook"}


def test_the_waits_grow_and_at_last_it_is_dropped_with_an_event(
    store: JobStore, receiver: Receiver, settings: JobSettings
) -> None:
    job = ended(store)
    receiver.status = 500
    for wait in BACK_OFF_S:
        seconds, _ = store.client.time()
        assert deliver_due(store, settings) == 0
        ((_, due_ms),) = waiting(store)
        assert due_ms / 1000 == pytest.approx(seconds + wait, abs=4)
        make_due(store)
    assert deliver_due(store, settings) == 0
    assert store.client.keys("test:webhook*") == []
    assert store.events(job.id).items[-1].data == {
        "event": "webhook_dropped",
        "delivery": f"{job.id}:{job.revision}",
        "attempts": len(BACK_OFF_S) + 1,
        "reason": "the receiver answered 500, expected 2xx",
    }
    assert len(receiver.got) == len(BACK_OFF_S) + 1


def test_a_receiver_that_is_away_does_not_hold_up_the_others_for_long(store: JobStore) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    ended(store)
    ended(store)
    assert deliver_due(store, told_to(url)) == 0
    ready = store.deliveries.due(claim_s=60)
    assert ready is not None
    assert ready.attempts == 1  # the second was not tried in the same round


def test_a_receiver_that_never_answers_is_given_up(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.webhooks._LIMIT_S", 0.2)
    ended(store)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert deliver_due(store, told_to(url)) == 0
    make_due(store)
    delivery = store.deliveries.due(claim_s=60)
    assert delivery is not None
    assert delivery.attempts == 2


def test_a_receiver_that_answers_byte_by_byte_is_given_up_too(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.webhooks._LIMIT_S", 0.3)
    job = ended(store)

    def dribble() -> None:
        with suppress(OSError), listener.accept()[0] as caller:
            for byte in b"HTTP/1.1 204 No Content\r\n" * 10:
                caller.send(bytes([byte]))
                time.sleep(0.1)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        pool.submit(dribble)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert deliver_due(store, told_to(url)) == 0
    assert [name for name, _ in waiting(store)] == [f"{job.id}:{job.revision}"]


def test_one_of_many_processes_sends_a_delivery(
    store: JobStore, receiver: Receiver, settings: JobSettings
) -> None:
    for _ in range(5):
        ended(store)
    with ThreadPoolExecutor(6) as pool:
        sent = list(pool.map(lambda _: deliver_due(store, settings), range(6)))
    assert sum(sent) == 5
    assert len({got.told["id"] for got in receiver.got}) == len(receiver.got) == 5


def test_a_sender_that_died_is_taken_over_from(store: JobStore) -> None:
    ended(store)
    deliveries: Deliveries = store.deliveries
    first = deliveries.due(claim_s=60)
    assert isinstance(first, Delivery)
    assert deliveries.due(claim_s=60) is None
    make_due(store)
    again = deliveries.due(claim_s=60)
    assert again is not None
    assert (again.id, again.job, again.attempts) == (first.id, first.job, 2)


def test_a_late_postponement_does_not_bring_a_settled_one_back(store: JobStore) -> None:
    ended(store)
    delivery = store.deliveries.due(claim_s=60)
    assert delivery is not None
    store.deliveries.settle(delivery)
    store.deliveries.postpone(delivery, delay_s=0)
    assert store.deliveries.due(claim_s=60) is None


def test_deliveries_survive_a_restart_of_redis(
    store: JobStore, redis_server: RedisServer, receiver: Receiver, settings: JobSettings
) -> None:
    ended(store)
    redis_server.restart()
    assert deliver_due(store, settings) == 1
    assert len(receiver.got) == 1


def test_nothing_is_kept_or_sent_where_nobody_is_to_be_told(redis_server: RedisServer) -> None:
    store = JobStore.open(redis_server.url, prefix="test")
    ended(store)
    assert store.client.keys("test:webhook*") == []
    assert deliver_due(store, JobSettings()) == 0
    store.close()


@pytest.mark.parametrize("secret", [None, ""])
def test_an_address_without_a_key_is_refused(secret: str | None) -> None:
    with pytest.raises(ValidationError, match="SENTISCOPE_WEBHOOK_SECRET"):
        JobSettings.model_validate({"webhook_url": "http://127.0.0.1", "webhook_secret": secret})
