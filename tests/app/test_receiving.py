"""Uploads on their way: refused early, never in memory, given up when nothing more comes."""

import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from tests.app.client import assert_problem, publish_tiny, serving, tiny_settings
from tests.app.dataset_requests import FIELDS, FORM, URL, steady_service, uploads
from tests.app.job_service import JobService, job_settings
from tests.worker.redis_server import RedisServer
from worker.settings import MIB

CLOSING = b"\r\n--x--\r\n"


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    with steady_service(tmp_path_factory) as opened:
        yield opened


def beginning(fields: dict[str, str]) -> bytes:
    """A form up to the first byte of its archive."""
    head = "--x\r\nContent-Disposition: form-data; name="
    small = "".join(f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    return f'{small}{head}"archive"; filename="a.zip"\r\n\r\n'.encode()


class Body:
    """A form whose archive is sent MIB by MIB, and how much of it was asked for."""

    def __init__(self, fields: dict[str, str], pieces: int) -> None:
        self._fields, self._pieces, self.sent = fields, pieces, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield beginning(self._fields)
        for _ in range(self._pieces):
            self.sent += 1
            yield bytes(MIB)
        yield CLOSING


def post(service: JobService, body: object, **headers: str) -> httpx.Response:
    return service.client.request(
        "POST", URL, content=body, headers={"Content-Type": FORM, **headers}
    )


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({**FIELDS, "format": "nope"}, 422),
        ({**FIELDS, "name": "A B"}, 422),
        ({**FIELDS, "name": "emotions"}, 409),
        ({"format": "fi", "colour": "red"}, 422),
    ],
)
def test_fields_before_the_archive_are_checked_before_it_is_taken(
    steady: JobService, fields: dict[str, str], status: int
) -> None:
    body = Body(fields, 50)
    assert_problem(post(steady, body), status)
    assert body.sent < 5
    assert uploads(steady) == []


def test_a_body_of_unknown_length_ends_at_the_limit(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    publish_tiny(tmp_path)
    settings = job_settings(tmp_path, redis_server, max_archive_bytes=5 * MIB)
    with serving(tiny_settings(tmp_path), settings) as client:
        body = Body(FIELDS, 50)
        response = client.request("POST", URL, content=body, headers={"Content-Type": FORM})
        assert_problem(response, 413)
        assert body.sent < 10
    assert list(settings.uploads_root.iterdir()) == []


def test_an_upload_is_never_held_in_memory(steady: JobService) -> None:
    body = Body(FIELDS, 64)
    tracemalloc.start()
    response = post(steady, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert_problem(response, 422)  # zeros are no archive
    assert body.sent == 64
    assert peak < 16 * MIB


def test_a_body_that_stalls_is_given_up(tmp_path: Path, redis_server: RedisServer) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield beginning(FIELDS) + bytes(MIB)
        await anyio.sleep_forever()

    publish_tiny(tmp_path)
    settings = job_settings(tmp_path, redis_server)
    with serving(tiny_settings(tmp_path, read_timeout_s=0.2), settings) as client:
        response = client.request("POST", URL, content=stalling(), headers={"Content-Type": FORM})
        assert_problem(response, 408)
    assert list(settings.uploads_root.iterdir()) == []


def test_a_compressed_body_is_refused(steady: JobService) -> None:
    assert_problem(post(steady, b"x", **{"Content-Encoding": "gzip"}), 415)


def test_the_description_has_both_forms_and_names_every_format(steady: JobService) -> None:
    paths = steady.client.get("/openapi.json").json()["paths"]
    assert set(paths[URL]) == {"get", "post"}
    assert set(paths[f"{URL}/{{name}}"]) == {"get", "delete"}
    content = paths[URL]["post"]["requestBody"]["content"]
    form, document = (
        content[kind]["schema"] for kind in ("multipart/form-data", "application/json")
    )
    assert form["required"] == ["name", "format", "archive"]
    assert document["required"] == ["name", "format", "root"]
    assert "class_folder" in form["properties"]["format"]["enum"]
    assert {"title", "terms", "labels", "seed"} <= set(document["properties"])
    assert not {"sources", "recipe"} & set(form["properties"])
