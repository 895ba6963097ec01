"""Fetching beside the queue: a few images at once from each allowed host, in a bounded time."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore
import httpx

from app.download import Budget, Downloader, Target
from app.drain import DrainRate
from app.errors import DeadlinePassed, ImageNotFetched, QueueFull, RequestError
from app.links import Content
from app.pinned_network import Resolver
from app.settings import Settings
from app.uploads import Link

_RESOLVING = 32
"""Threads: more than one zone whose name servers hang can take."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much and how long."""

    timeout_s: float
    """Of one image, its redirects included."""

    at_once: int
    """Images from one entry of the operator's list; of one request half of that."""

    waiting: int
    """Images from one entry, being fetched or waiting for that."""

    max_bytes: int
    """All images of one request."""


class Fetcher:
    """Fetches links on the event loop, before their images enter the queue.

    So a slow host takes no thread of decoding, and as every entry of the operator's list has places
    of its own, it keeps nobody waiting but those who ask for it too.
    """

    def __init__(
        self, downloader: Downloader, limits: FetchLimits, *, observe: Callable[[float], None]
    ) -> None:
        self._downloader, self._limits, self._observe = downloader, limits, observe
        self._doors = {rule: _Door(limits) for rule in downloader.rules}

    async def fetched(self, links: Sequence[Link], *, deadline_s: float) -> list[Content]:
        """The bytes of each, or why there are none; raises DeadlinePassed."""
        budget = Budget(self._limits.max_bytes)
        share = asyncio.Semaphore(max(1, self._limits.at_once // 2))
        try:
            async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._content(link, budget, share)) for link in links]
        except TimeoutError as error:
            raise DeadlinePassed(
                f"the images were not fetched within {deadline_s:g} s; send fewer at once"
            ) from error
        return [task.result() for task in tasks]

    async def _content(self, link: Link, budget: Budget, share: asyncio.Semaphore) -> Content:
        try:
            target = self._downloader.target(link.url)
            async with share, self._doors[target.rule].passed():
                return await self._timely(target, budget)
        except RequestError as error:
            detail = f"images[{link.place}].url: {error.detail}"
            return type(error)(detail, headers=error.headers)

    async def _timely(self, target: Target, budget: Budget) -> bytes:
        began, timeout_s = time.perf_counter(), self._limits.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                return await self._downloader.get(target, budget)
        except TimeoutError as error:
            raise ImageNotFetched(f"the image was not there within {timeout_s:g} s") from error
        finally:
            self._observe(time.perf_counter() - began)


class _Door:
    """The places of one entry of the operator's list."""

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(limits.at_once)
        self._held = 0
        self._rate = DrainRate()

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Hold a place; raises QueueFull where too many wait for one."""
        if self._held >= self._limits.waiting:
            seconds = self._rate.whole_seconds(self._held)
            raise QueueFull(
                f"{self._held} images of this host are waiting to be fetched, the limit; try again "
                f"in {seconds} s",
                headers={"Retry-After": str(seconds)},
            )
        if self._held == 0:
            self._rate.begin()
        self._held += 1
        try:
            async with self._places:
                yield
        finally:
            self._held -= 1
            self._rate.count()


@asynccontextmanager
async def opened(settings: Settings, observe: Callable[[float], None]) -> AsyncIterator[Fetcher]:
    """A fetcher as the operator set it; `observe` is told each image's seconds."""
    resolver = Resolver(at_once=_RESOLVING)
    opening = Downloader.opened(
        settings.url_rules,
        resolve=resolver,
        network=httpcore.AnyIOBackend(),
        tls=httpx.create_ssl_context(),
    )
    try:
        async with opening as downloader:
            yield Fetcher(downloader, limits(settings), observe=observe)
    finally:
        resolver.close()


def limits(settings: Settings) -> FetchLimits:
    """What the settings allow."""
    return FetchLimits(
        timeout_s=settings.url_timeout_s,
        at_once=settings.url_fetches,
        waiting=settings.queue_size,
        max_bytes=settings.max_body_bytes,
    )
