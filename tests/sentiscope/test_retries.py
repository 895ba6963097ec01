"""When the client asks again, of a real service on a port that refuses at first."""

import asyncio
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from starlette.responses import JSONResponse, Response

from sentiscope.client import NEVER, AsyncClient, Busy, Client, Retries, Unavailable, Unreachable
from sentiscope.service.retries import Attempts, retry_after_s
from sentiscope.service.talk import Request
from tests.app.internet import garbled, hosting
from tests.app.pictures import encoded, solid
from tests.sentiscope.replying import Replies, replying

IMAGE = encoded(solid())
ANSWER = {
    "model": {"name": "tiny", "version": "1", "digest": "sha256:0"},
    "predictions": [{"image": {"format": "PNG", "width": 32, "height": 32}}],
}
JOB = {"id": "01", "kind": "finetune", "status": "queued", "created_at": "2026-11-25T00:00:00Z"}
PATIENT = Retries(attempts=10, patience_s=20)
Asks = Callable[[Replies, Retries], Any]


def problem(status: int, **headers: str) -> Response:
    """An error as the service says it."""
    body = {"type": "about:blank", "title": "No", "status": status, "detail": f"no: {status}"}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def blocking(service: Replies, retries: Retries) -> Any:
    with Client(service.url, retries=retries) as client:
        return client.predict(IMAGE).one()


def concurrent(service: Replies, retries: Retries) -> Any:
    async def ask() -> Any:
        async with AsyncClient(service.url, retries=retries) as client:
            return (await client.predict(IMAGE)).one()

    return asyncio.run(ask())


BOTH = pytest.mark.parametrize("ask", [blocking, concurrent])


@BOTH
def test_service_that_is_busy_is_asked_again_and_no_sooner_than_it_says(ask: Asks) -> None:
    busy = problem(429, **{"Retry-After": "1"})
    with replying(busy, JSONResponse(ANSWER)) as service:
        assert ask(service, PATIENT).model.name == "tiny"
    assert service.waits_s[0] >= 1
    assert [seen.body for seen in service.seen] == [IMAGE, IMAGE]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_service_that_is_away_is_asked_again(status: int) -> None:
    with replying(problem(status), JSONResponse(ANSWER)) as service:
        assert blocking(service, PATIENT).model.name == "tiny"


def test_time_to_come_back_may_be_a_date() -> None:
    date = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    busy = problem(503, **{"Retry-After": format_datetime(date, usegmt=True)})
    with replying(busy, JSONResponse(ANSWER)) as service:
        blocking(service, PATIENT)
    assert datetime.now(UTC) >= date


@BOTH
def test_attempts_are_counted_and_their_pauses_grow(ask: Asks) -> None:
    with replying(problem(429)) as service, pytest.raises(Busy, match="no: 429"):
        ask(service, Retries(attempts=3, patience_s=60))
    assert len(service.seen) == 3
    for least_s, waited_s in zip((0.125, 0.25), service.waits_s, strict=True):
        assert waited_s >= least_s


@BOTH
def test_longer_than_the_patience_nobody_waits(ask: Asks) -> None:
    with replying(problem(503, **{"Retry-After": "60"})) as service, pytest.raises(Unavailable):
        ask(service, PATIENT)
    assert len(service.seen) == 1


def test_patience_begins_when_a_request_has_failed() -> None:
    """As where a queue's deadline passes before the service says 504."""
    patience = Attempts(Retries(patience_s=0.5), Request("GET", "/", repeatable=True))
    time.sleep(0.6)
    assert patience.pause_s(httpx.Response(504)) is not None
    time.sleep(0.6)
    assert patience.pause_s(httpx.Response(504)) is None


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500])
def test_other_errors_are_final(status: int) -> None:
    with replying(problem(status)) as service, pytest.raises(Exception, match=f"no: {status}"):
        blocking(service, PATIENT)
    assert len(service.seen) == 1


def test_submission_is_repeated_under_one_key() -> None:
    answers = (problem(503), problem(503), JSONResponse(JOB, 202))
    with replying(*answers) as service, Client(service.url, retries=PATIENT) as client:
        assert client.jobs.submit("finetune", {}).id == "01"
        client.jobs.submit("finetune", {})
    first, second, third, other = [seen.headers["idempotency-key"] for seen in service.seen]
    assert first == second == third != other


def test_what_has_no_key_is_sent_once() -> None:
    with replying(problem(503)) as service, Client(service.url, retries=PATIENT) as client:
        with pytest.raises(Unavailable):
            client.jobs.handle("01").cancel()
        assert len(service.seen) == 1


@BOTH
def test_nobody_there_is_told_with_the_address(ask: Asks) -> None:
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9 does not answer"):
        ask(Replies([], url="http://127.0.0.1:9"), NEVER)


@BOTH
def test_tls_that_breaks_after_its_handshake_is_a_service_that_does_not_answer(
    ask: Asks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with hosting({"/v1/predictions": garbled}, tls) as host, pytest.raises(Unreachable):
        ask(Replies([], url=f"https://127.0.0.1:{host.port}"), NEVER)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("", 0.0), ("soon", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_time_to_wait_is_the_one_that_the_service_says(said: str, seconds: float) -> None:
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": said})) == seconds
