"""The service's end of a connection to a process that runs images."""

import asyncio
import pickle
from collections import deque
from collections.abc import Callable
from typing import cast

from app.errors import InferenceLost
from app.inference.messages import LENGTH, Failure, Message, Packed, Reply, pack

Settle = Callable[[Reply | Failure], None]


class Link(asyncio.Protocol):
    """Messages are answered in the order in which they are sent."""

    def __init__(self, lost: Callable[["Link"], None]) -> None:
        self.models: set[str] = set()
        """Digests of those it was told to load."""

        self.in_hand = 0
        """Tasks that it has not answered; kept by whoever sends them, as is `since`."""

        self.since = 0.0
        """When it began the first of them, on the clock of `time.perf_counter`."""

        self._lost = lost
        self._waiting: deque[Settle] = deque()
        self._arrived = bytearray()
        self._transport: asyncio.Transport | None = None

    def post(self, packed: Packed, settle: Settle) -> None:
        """Send a message; `settle` is called with its answer."""
        self._waiting.append(settle)
        if self._transport is None:
            self._fail_all()
        else:
            self._transport.writelines(packed.parts)

    async def ask(self, message: Message) -> object:
        """A message's value, or what it raises; raises InferenceLost when the process ends."""
        answer: asyncio.Future[Reply | Failure] = asyncio.get_running_loop().create_future()

        def settle(reply: Reply | Failure) -> None:
            if not answer.done():
                answer.set_result(reply)

        self.post(pack(message), settle)
        reply = await answer
        if isinstance(reply, Failure):
            raise reply.error
        return reply.value

    def close(self) -> None:
        """The process finishes what it was sent, and ends."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._arrived += data
        while (answer := self._answer()) is not None:
            self._waiting.popleft()(pickle.loads(answer))

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._transport = None
        self._lost(self)  # first, so that nothing more is sent here
        self._fail_all()

    def _answer(self) -> bytes | None:
        """The first whole answer that has arrived."""
        if len(self._arrived) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._arrived)[0]
        if len(self._arrived) < end:
            return None
        answer = bytes(self._arrived[LENGTH.size : end])
        del self._arrived[:end]
        return answer

    def _fail_all(self) -> None:
        while self._waiting:
            self._waiting.popleft()(Failure(InferenceLost()))
