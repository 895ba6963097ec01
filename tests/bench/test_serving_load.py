"""The load of the serving bench against a real service; nothing is timed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bench.serving.connection import Address
from bench.serving.load import FAILED, Load, closed_loop, constant_rate
from bench.serving.photos import HEIGHT, WIDTH, photos
from bench.serving.predictor import Predictor
from models.manifest import Precision
from models.registry import Registry
from tests.app.client import publish_tiny
from tests.app.server import served

PATH = "/v1/predictions"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return publish_tiny(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def address(registry: Registry) -> Iterator[Address]:
    with served(registry.root.parent) as server:
        yield Address(urlsplit(server.url).port or 0, PATH)


def test_each_client_of_a_closed_loop_asks_until_the_requests_are_done(address: Address) -> None:
    bodies: list[bytes] = []
    load = asyncio.run(
        closed_loop(
            address,
            photos(),
            clients=4,
            requests=11,
            observe=lambda answer, asked_s, came_s: bodies.append(answer.body),
        )
    )
    assert load.statuses == {200: 11}
    assert len(load.latencies_s) == len(bodies) == 11
    assert all(b'"predictions"' in body for body in bodies)
    assert load.rate > 0 == load.errors


def test_arrivals_do_not_wait_for_answers(address: Address) -> None:
    load = asyncio.run(constant_rate(address, photos(), rate=100, seconds=0.3))
    assert load.statuses == {200: 30}


def test_arrivals_that_find_all_connections_busy_are_failures() -> None:
    async def keep_waiting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def arrive() -> Load:
        async with await asyncio.start_server(keep_waiting, "127.0.0.1", 0) as server:
            address = Address(server.sockets[0].getsockname()[1], "/")
            return await constant_rate(
                address, photos(), rate=1e6, seconds=2e-5, connections=5, patience_s=0
            )

    load = asyncio.run(arrive())
    assert load.statuses == {FAILED: 15}
    assert (load.errors, load.given_up) == (15, 5)


def test_clients_that_do_not_wait_give_up(address: Address) -> None:
    load = asyncio.run(constant_rate(address, photos(), rate=1e6, seconds=2e-5, patience_s=0))
    assert load.given_up + load.statuses.total() == 20
    assert load.given_up > 0


def test_refusals_are_counted_by_status_and_have_no_latency(address: Address) -> None:
    load = asyncio.run(closed_loop(address, [b"no image"], clients=2, requests=3))
    assert load.statuses == {415: 3}
    assert not load.latencies_s


def test_server_that_hangs_up_is_a_failure() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    async def ask() -> int:
        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            load = await closed_loop(Address(port, "/"), [b"x"], clients=1, requests=2)
        return load.statuses[FAILED]

    assert asyncio.run(ask()) == 2


def test_photos_are_jpegs_of_one_size(address: Address) -> None:
    url = f"http://{address.host}:{address.port}{PATH}"
    for photo in photos():
        answer = httpx.post(url, content=photo, headers={"Content-Type": "image/jpeg"})
        image = answer.json()["predictions"][0]["image"]
        assert (image["format"], image["width"], image["height"]) == ("JPEG", WIDTH, HEIGHT)


def test_what_the_others_compute_is_what_the_service_computes(
    address: Address, registry: Registry
) -> None:
    bundle = registry.open("tiny").path
    ours = httpx.post(
        f"http://{address.host}:{address.port}{PATH}",
        content=photos()[0],
        headers={"Content-Type": "image/jpeg"},
    ).json()["predictions"][0]
    theirs = Predictor.open(Path(bundle), Precision.FP32)(photos()[0])
    for kind, scores in theirs.items():
        found = {each["label"]: each["score"] for each in ours[kind]["scores"]}
        assert found == pytest.approx(scores, abs=1e-4)
