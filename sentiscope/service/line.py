"""The line to a service, over which talks are held and streams are listened to.

`Line` waits for each answer, `AsyncLine` lets others go on meanwhile; what they say is the same.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import TypeVar

import httpx

from sentiscope.service import jobs
from sentiscope.service.address import Address
from sentiscope.service.errors import Busy, TimedOut, Unavailable, Unreachable
from sentiscope.service.events import AGAIN_S, Following
from sentiscope.service.exchange import Outcome, raise_refused, reaching, steps
from sentiscope.service.job import Event
from sentiscope.service.retries import Retries
from sentiscope.service.talk import Listing, Pause, Request, Talk
from sentiscope.service.value import Value

T = TypeVar("T")
V = TypeVar("V", bound=Value)
_AWAY = (Busy, TimedOut, Unavailable, Unreachable)


class Line:
    """A line whose user waits."""

    def __init__(self, address: Address, retries: Retries) -> None:
        self._http = httpx.Client(**address.settings())
        self._address, self._retries = address, retries

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def hold(self, talk: Talk[T]) -> T:
        """What comes of a talk; raises SentiscopeError."""
        left = steps(talk, url=self._address.url, retries=self._retries)
        outcome: Outcome | None = None
        while True:
            try:
                step = left.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            outcome = self._outcome(step)

    def pages(self, listing: Listing[V]) -> Iterator[V]:
        """The items of a list, page after page as they are needed."""
        left: Listing[V] | None = listing
        while left is not None:
            items, left = self.hold(left.page())
            yield from items

    def content(self, request: Request) -> Iterator[bytes]:
        """The body of an answer, in parts as they come; raises Refused and Unreachable."""
        arguments = request.arguments()
        with reaching(self._address.url), self._http.stream(**arguments) as response:
            if not response.is_success:
                response.read()
                raise_refused(response)
            yield from response.iter_bytes()

    def events(self, following: Following) -> Iterator[Event]:
        """What a job tells, as it comes, until it has ended."""
        while True:
            try:
                for part in self.content(following.request()):
                    yield from following.heard(part)
                if self.hold(jobs.shown(following.job_id)).has_ended:
                    return
            except _AWAY as error:
                following.lost(error)
            time.sleep(AGAIN_S)

    def _outcome(self, step: Request | Pause) -> Outcome | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._http.request(**step.arguments())
        except httpx.RequestError as error:
            return error


class AsyncLine:
    """The same line, whose user goes on."""

    def __init__(self, address: Address, retries: Retries) -> None:
        self._http = httpx.AsyncClient(**address.settings())
        self._address, self._retries = address, retries

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def hold(self, talk: Talk[T]) -> T:
        """What comes of a talk; raises SentiscopeError."""
        left = steps(talk, url=self._address.url, retries=self._retries)
        outcome: Outcome | None = None
        while True:
            try:
                step = left.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            outcome = await self._outcome(step)

    async def pages(self, listing: Listing[V]) -> AsyncIterator[V]:
        """The items of a list, page after page as they are needed."""
        left: Listing[V] | None = listing
        while left is not None:
            items, left = await self.hold(left.page())
            for item in items:
                yield item

    async def content(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The body of an answer, in parts as they come; raises Refused and Unreachable."""
        arguments = request.arguments()
        with reaching(self._address.url):
            async with self._http.stream(**arguments) as response:
                if not response.is_success:
                    await response.aread()
                    raise_refused(response)
                async for part in response.aiter_bytes():
                    yield part

    async def events(self, following: Following) -> AsyncIterator[Event]:
        """What a job tells, as it comes, until it has ended."""
        while True:
            try:
                async with aclosing(self.content(following.request())) as parts:
                    async for part in parts:
                        for event in following.heard(part):
                            yield event
                if (await self.hold(jobs.shown(following.job_id))).has_ended:
                    return
            except _AWAY as error:
                following.lost(error)
            await asyncio.sleep(AGAIN_S)

    async def _outcome(self, step: Request | Pause) -> Outcome | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._http.request(**step.arguments())
        except httpx.RequestError as error:
            return error
        except ssl.SSLError as error:  # let through by httpx where it comes after the handshake
            return httpx.ReadError(str(error))
