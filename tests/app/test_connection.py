"""Raw bytes at a real port: what comes before a body is bounded too."""

import asyncio
import json
import socket
import sys
from collections.abc import Iterator
from itertools import repeat

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from app import connection
from tests.app.client import publish_tiny
from tests.app.pictures import encoded, solid
from tests.app.server import Server, post_image, served
from tests.processes import memory_mib

IMAGE = encoded(solid())
BEGIN = b"POST /v1/predictions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = BEGIN + b"Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n"
PIECE = b"a" * 16_384
MOST = 50 * 1024 * 1024
_TWO_BYTES = [(b"content-length", b"2")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("connection")
    publish_tiny(folder)
    with served(folder) as opened:
        assert post_image(opened.url, IMAGE).status_code == 200
        yield opened
        assert post_image(opened.url, IMAGE).status_code == 200


async def _ok(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _TWO_BYTES})
    await send({"type": "http.response.body", "body": b"ok"})


async def _never(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("there was no request")


def connected(server: Server) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def answer(client: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    try:
        while part := client.recv(65_536):
            found += part
    except ConnectionError:
        pass
    return found


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /", PIECE),
        (BEGIN + b"X-Long: ", PIECE),
        (BEGIN, b"X-Many: %s\r\n" % PIECE[:100]),
        (CHUNKED + b"\r\n1;", PIECE),
        (CHUNKED + b"\r\n1\r\na\r\n0\r\nX-Trailer: ", PIECE),
        (CHUNKED + b"\r\n1\r\na\r\n0\r\n", b"X-Trailer: %s\r\n" % PIECE[:100]),
    ],
    ids=["request line", "one header", "many headers", "extension", "trailer", "many trailers"],
)
def test_what_is_no_body_and_has_no_end_is_cut_off(
    server: Server, begin: bytes, piece: bytes
) -> None:
    before, sent = memory_mib(server.process.pid), 0
    with connected(server) as client:
        client.sendall(begin)
        try:
            for part in repeat(piece * (len(PIECE) // len(piece))):
                client.sendall(part)
                sent += len(part)
                assert sent < MOST
        except ConnectionError:
            pass
    assert sent < MOST
    assert memory_mib(server.process.pid) - before < 20


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (BEGIN + b"X: " + b"a" * (connection.MAX_HEAD_BYTES + 1000), 431, "head-too-large"),
        (b"no such thing\r\n\r\n", 400, "malformed-request"),
    ],
    ids=["long", "no HTTP"],
)
def test_what_no_application_sees_is_refused_as_everything_is(
    server: Server, sent: bytes, status: int, kind: str
) -> None:
    with connected(server) as client:
        client.sendall(sent)
        head, _, body = answer(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: application/problem+json\r\n" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"Content-Length: %d\r\n" % len(body) in head
    problem = json.loads(body)
    assert (problem["type"], problem["status"]) == (f"urn:sentiscope:problem:{kind}", status)


def test_head_of_many_kilobytes_is_read(server: Server) -> None:
    with connected(server) as client:
        client.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n")
        client.sendall(b"X: " + b"a" * 50_000 + b"\r\n\r\n")
        assert answer(client).startswith(b"HTTP/1.1 200 ")


def test_bodies_may_come_in_small_chunks_and_requests_one_after_the_other(server: Server) -> None:
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in IMAGE + bytes(30_000)) + b"0\r\n\r\n"
    with connected(server) as client:
        client.sendall((CHUNKED + b"\r\n" + body) * 3)
        client.sendall(CHUNKED + b"Connection: close\r\n\r\n" + body)
        assert answer(client).count(b"HTTP/1.1 200 ") == 4


def test_head_that_never_ends_is_waited_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.1)

    async def silent() -> list[float]:
        loop, waited = asyncio.get_running_loop(), []
        server = await loop.create_server(_protocol, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        for begin in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"):
            began = loop.time()
            reader, writer = await asyncio.open_connection(*address)
            writer.write(begin)
            assert await asyncio.wait_for(reader.read(), 10) == b""
            waited.append(loop.time() - began)
            writer.close()
        server.close()
        return waited

    assert all(0.05 < seconds < 5 for seconds in asyncio.run(silent()))


@pytest.mark.parametrize("late", [b"a", b"ab", b"ab\r\n"], ids=["rest", "whole", "line ends"])
def test_body_that_comes_after_its_answer_does_not_keep_the_connection(
    monkeypatch: pytest.MonkeyPatch, late: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.1)

    async def answered_early() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _protocol(_ok), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK\r\n")
        for byte in late:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        server.close()

    asyncio.run(answered_early())


@pytest.mark.skipif(sys.platform != "linux", reason="counts packets by Linux's TCP_INFO")
def test_head_and_body_of_an_answer_are_one_packet_and_no_head_waits_for_long() -> None:
    async def answered() -> list[tuple[bytes, int]]:
        told = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": _TWO_BYTES})
            if scope["path"] == "/late":
                await told.wait()
            await send({"type": "http.response.body", "body": b"ok"})

        loop, found = asyncio.get_running_loop(), []
        server = await loop.create_server(lambda: _protocol(app), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for path in (b"/late", b"/at-once"):
            before = _packets(writer)
            writer.write(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
            told.set()
            found.append((await reader.readexactly(2), _packets(writer) - before))
        writer.close()
        server.close()
        return found

    assert asyncio.run(asyncio.wait_for(answered(), 20)) == [(b"ok", 2), (b"ok", 1)]


def _packets(writer: asyncio.StreamWriter) -> int:
    """Packets with data that came so far."""
    told = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 156)
    return int.from_bytes(told[152:], sys.byteorder)  # tcpi_data_segs_in


def _protocol(app: ASGIApp = _never) -> connection.BoundedHttp:
    config = Config(app=app, ws="none", timeout_keep_alive=1)
    config.load()
    return connection.BoundedHttp(config, ServerState(), {})
