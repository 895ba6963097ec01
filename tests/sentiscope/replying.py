"""A small real service on a port, whose answers a test writes down beforehand."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.sentiscope.on_a_port import on_a_port


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came in."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    at: float
    """Seconds of a clock that only runs on."""


@dataclass(slots=True)
class Replies:
    """Gives its answers one after the other, the last one for ever, and keeps what was asked."""

    answers: list[Response]
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        self.seen.append(
            Seen(
                method=request.method,
                path=request.url.path,
                query=request.url.query,
                headers=dict(request.headers),
                body=await request.body(),
                at=time.monotonic(),
            )
        )
        place = min(len(self.seen), len(self.answers)) - 1
        await self.answers[place](scope, receive, send)

    @property
    def waits_s(self) -> list[float]:
        """Seconds between a request and the next."""
        return [b.at - a.at for a, b in zip(self.seen, self.seen[1:], strict=False)]


@contextmanager
def replying(*answers: Response) -> Iterator[Replies]:
    """A service that answers so."""
    replies = Replies(list(answers))
    with on_a_port(replies, lifespan=False) as replies.url:
        yield replies
