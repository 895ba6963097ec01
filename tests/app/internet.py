"""A small internet for tests: real hosts on local ports, reached under public addresses."""

import asyncio
import ipaddress
import os
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore

from app.addresses import Address
from app.download import Downloader
from app.fetching import Fetcher, FetchLimits
from app.links import Content
from app.uploads import Link
from app.url_rules import rules

PUBLIC = "93.184.215.14"
"""An address of the open internet, which no test ever reaches."""

LIMITS = FetchLimits(timeout_s=5.0, at_once=4, waiting=16, max_bytes=100_000)

Answer = Callable[[BaseHTTPRequestHandler], None]


def content(body: bytes, *, status: int = 200, **headers: str) -> Answer:
    """An answer with a body."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def redirect(location: str, status: int = 302) -> Answer:
    """An answer that leads elsewhere."""
    return content(b"", status=status, location=location)


def unending(pieces: Callable[[], Iterable[bytes]]) -> Answer:
    """An answer of undeclared length, sent as what `pieces` makes comes up with it."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("connection", "close")
        handler.end_headers()
        with suppress(OSError):  # the other side has had enough
            for piece in pieces():
                handler.wfile.write(piece)

    return send


def garbled(handler: BaseHTTPRequestHandler) -> None:
    """Bytes below the encryption that are none of TLS."""
    os.write(handler.connection.fileno(), b"nothing that TLS knows")


@dataclass(frozen=True, slots=True)
class Host:
    """A real server on a local port, and what it was asked."""

    port: int
    answers: dict[str, Answer]
    asked: list[tuple[str, Mapping[str, str]]]

    @property
    def paths(self) -> list[str]:
        """Paths in the order in which they were asked for."""
        return [path for path, _ in self.asked]


@contextmanager
def hosting(answers: Mapping[str, Answer], tls: ssl.SSLContext | None = None) -> Iterator[Host]:
    """A host that answers by path, and else 404."""
    table, asked = dict(answers), list[tuple[str, Mapping[str, str]]]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append((self.path, dict(self.headers.items())))
            table.get(self.path, content(b"secret", status=404))(self)

        do_POST = do_GET

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None: ...  # a client that breaks off is no error

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Host(server.server_port, table, asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Names:
    """A name server whose answers to one name may change from question to question."""

    answers: dict[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """The next answer, the last one for ever; raises OSError for an unknown name."""
        del port
        self.asked.append(host)
        if host not in self.answers:
            raise OSError("unknown name")
        left = self.answers[host]
        found = left.pop(0) if len(left) > 1 else left[0]
        return [ipaddress.ip_address(text) for text in found]


class Routes(httpcore.AsyncNetworkBackend):
    """Leads addresses to local ports; what leads nowhere refuses the connection."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.ports, self.connected = dict(ports), list[tuple[str, int]]()
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the port behind `host`."""
        del local_address, socket_options
        self.connected.append((host, port))
        if host not in self.ports:
            raise httpcore.ConnectError("no route")
        return await self._real.connect_tcp("127.0.0.1", self.ports[host], timeout)


@dataclass
class Internet:
    """Names and routes, and a fetcher that knows no other way out."""

    names: Names
    routes: Routes
    allowed: Sequence[str] = ("http://pictures.test",)
    private: Sequence[str] = ()
    tls: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    limits: FetchLimits = LIMITS
    seconds: list[float] = field(default_factory=list)

    @classmethod
    def around(cls, host: Host, **changes: object) -> "Internet":
        """An internet where `pictures.test` is `host`."""
        names = Names({"pictures.test": [[PUBLIC]]})
        return cls(names, Routes({PUBLIC: host.port}), **changes)  # type: ignore[arg-type]

    def fetch(self, *urls: str, deadline_s: float = 20.0) -> list[Content]:
        """What a request with these addresses gets."""
        return self.fetch_at_once(urls, deadline_s=deadline_s)[0]

    def fetch_at_once(
        self, *requests: Sequence[str], deadline_s: float = 20.0
    ) -> list[list[Content]]:
        """What requests get that come at the same time."""

        async def fetched() -> list[list[Content]]:
            opening = Downloader.opened(
                rules(self.allowed, self.private),
                resolve=self.names,
                network=self.routes,
                tls=self.tls,
            )
            async with opening as downloader:
                fetcher = Fetcher(downloader, self.limits, observe=self.seconds.append)
                asked = [[Link(url, i) for i, url in enumerate(urls)] for urls in requests]
                fetching = (fetcher.fetched(links, deadline_s=deadline_s) for links in asked)
                return await asyncio.gather(*fetching)

        return asyncio.run(fetched())
