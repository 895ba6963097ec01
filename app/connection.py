"""HTTP on one connection, with bounds on what comes before a body and behind it."""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.errors import HeadTooLarge, MalformedRequest, RequestError
from app.guard import SECURITY_HEADERS
from app.problems import MEDIA_TYPE, of_error

_HEAD = b"HTTP/"
MAX_HEAD_BYTES = 64 * 1024
HEAD_S = 30.0


def _refusal(error: RequestError) -> bytes:
    """The whole answer to what no application sees; its instance is the request itself."""
    body = of_error(error, instance="").model_dump_json(exclude_unset=True)
    told = {"Content-Type": MEDIA_TYPE, "Content-Length": len(body.encode()), "Connection": "close"}
    headers = [f"{name}: {value}\r\n" for name, value in {**told, **SECURITY_HEADERS}.items()]
    head = f"HTTP/1.1 {error.status} {error.status.phrase}\r\n{''.join(headers)}\r\n"
    return (head + body).encode()


class _Joined:
    """A transport that has an answer's head wait for its body, and sends both as one packet.

    Where no body comes at once, the head leaves at the next turn of the event loop.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Send `data`, unless it is a head."""
        if data.startswith(_HEAD) and not self._head:
            self._head = data
            self._loop.call_soon(self._send_head)
            return
        head, self._head = self._head, b""
        self._transport.write(head + data)

    def close(self) -> None:
        """Send what is left, then close."""
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        if self._head:
            self.write(b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol, which is inherited as it has no place for a bound.

    Its parser keeps request lines, headers and trailers of any length, and waits for them for ever,
    as it does for the rest of a body that was answered before it was there.
    """

    _unfinished = 0
    """Bytes since the parser last had something whole: headers, a piece of a body, a message."""

    _patience: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(cast(Transport, _Joined(transport, self.loop)))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; without an end in sight it is refused."""
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > MAX_HEAD_BYTES and not self.transport.is_closing():
            said = f"the request line and headers exceed {MAX_HEAD_BYTES} bytes"
            self._refuse(HeadTooLarge(said))
        if self._is_answered() and self._patience is None:
            self._wait()  # uvicorn waited for silence alone

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed."""
        del msg
        self._refuse(MalformedRequest("this is no request of HTTP/1.1"))

    def on_message_begin(self) -> None:
        """Wait for the headers."""
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A whole head; `reading` bounds the body."""
        self._unfinished = 0
        self._wait_no_longer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end, and the begin of the next message."""
        self._unfinished = 0
        super().on_message_complete()
        if self._is_answered():
            self._wait(self.timeout_keep_alive)

    def _refuse(self, error: RequestError) -> None:
        self.transport.write(_refusal(error))
        self.transport.close()

    def _is_answered(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete

    def _wait(self, seconds: float | None = None) -> None:
        self._wait_no_longer()
        patience_s = HEAD_S if seconds is None else seconds
        self._patience = self.loop.call_later(patience_s, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
