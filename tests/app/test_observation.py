import asyncio
import io
import json
import logging
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from app.metrics import Metrics
from app.observation import REQUEST_ID, JsonLines, Observed

ID = "x-request-id"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the access log says, in JSON lines."""
    logger, text = logging.getLogger("sentiscope.access"), io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield text
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def ask(metrics: Metrics, path: str, **headers: str) -> httpx.Response:
    app = FastAPI()

    @app.get("/items/{number}")
    async def item(number: int) -> dict[str, str | None]:
        if number == 13:
            raise RuntimeError("boom")
        return {"id": REQUEST_ID.get()}

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(Observed(app, metrics=metrics), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            return await http.get(path, headers=headers)

    return asyncio.run(send())


def test_clients_request_id_travels_through(metrics: Metrics) -> None:
    answer = ask(metrics, "/items/1", **{ID: "trace-7"})
    assert answer.headers[ID] == "trace-7"
    assert answer.json() == {"id": "trace-7"}
    assert REQUEST_ID.get() is None


@pytest.mark.parametrize("given", ["", "a b", "x" * 200, 'quo"te'])
def test_request_id_that_is_not_plain_is_replaced(metrics: Metrics, given: str) -> None:
    answer = ask(metrics, "/items/1", **{ID: given})
    assert answer.headers[ID] != given
    assert len(answer.headers[ID]) == 32


def test_routes_are_counted_and_not_paths(metrics: Metrics) -> None:
    for path in ("/items/1", "/items/2", "/nowhere/1", "/nowhere/2"):
        ask(metrics, path)
    told = metrics.text().decode()
    item, none = (
        f'{{method="GET",route="{route}",status="{status}"}}'
        for route, status in (("/items/{number}", 200), ("none", 404))
    )
    assert f"sentiscope_http_requests_total{item} 2.0" in told
    assert f"sentiscope_http_requests_total{none} 2.0" in told
    assert "nowhere" not in told
    assert "sentiscope_http_requests_in_flight 0.0" in told


def test_each_request_is_a_line_of_json(metrics: Metrics, log: io.StringIO) -> None:
    ask(metrics, "/items/1", **{ID: "trace-7"})
    [line] = log.getvalue().splitlines()
    told = json.loads(line)
    assert told["request_id"] == "trace-7"
    assert (told["method"], told["path"], told["route"]) == ("GET", "/items/1", "/items/{number}")
    assert told["status"] == 200
    assert 0 <= told["seconds"] < 60
    assert told["level"] == "info"


def test_error_keeps_its_trace_in_the_line() -> None:
    try:
        raise ValueError("boom")
    except ValueError as error:
        record = logging.getLogger("x").makeRecord(
            "x", logging.ERROR, "f", 1, "failed %s", ("here",), (ValueError, error, None)
        )
    told = json.loads(JsonLines().format(record))
    assert told["message"] == "failed here"
    assert "ValueError: boom" in told["error"]
