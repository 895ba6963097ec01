"""One kept HTTP/1.1 connection that costs the machine next to nothing.

The load shares its cores with what it measures: httptools parses in C, and requests are bytes that
were made beforehand. Ready-made generators either have no constant arrival rate or are no package.
"""

import asyncio
from dataclasses import dataclass
from typing import Self, cast

import httptools


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server takes images."""

    port: int
    path: str
    host: str = "127.0.0.1"

    def post(self, image: bytes) -> bytes:
        """A whole request with the bare bytes of a JPEG."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Content-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
        )
        return head.encode() + image


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's status and body."""

    status: int
    body: bytes


class Disconnected(Exception):
    """The server closed the connection before it had answered."""


class Connection(asyncio.Protocol):
    """Asks one thing at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._begin()

    @classmethod
    async def open(cls, address: Address) -> Self:
        """A new connection; raises OSError."""
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(cls, address.host, address.port))[1]

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read all of its answer; raises Disconnected."""
        if self._transport is None or self._transport.is_closing():
            raise Disconnected
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Leave at once, whether answered or not."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Disconnected())

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body += body

    def on_message_complete(self) -> None:
        """Called by the parser."""
        answer = Answer(self._parser.get_status_code(), bytes(self._body))
        if not self._parser.should_keep_alive():
            self.close()
        self._begin()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
