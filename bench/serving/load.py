"""Load on a server: clients that wait for their answer, or arrivals at a constant rate."""

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.serving.connection import Address, Answer, Connection, Disconnected

FAILED = 0
"""Stands for a status where there was no answer."""

Observe = Callable[[Answer, float, float], None]
"""Told of every answer, and when it was asked for and came, in seconds of `time.perf_counter`."""


@dataclass(slots=True)
class Load:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    """Of answers with status 200; with arrivals, from when they were due."""

    seconds: float = 0.0
    given_up: int = 0
    """Requests that the clients did not wait for any longer."""

    @property
    def rate(self) -> float:
        """Images a second that were answered with 200."""
        return self.statuses[200] / self.seconds

    @property
    def errors(self) -> int:
        """Requests that had another answer than 200, or none."""
        return self.statuses.total() - self.statuses[200]

    def quantile_ms(self, part: float) -> float:
        """Milliseconds that at least `part` of the answers did not exceed."""
        ranked = sorted(self.latencies_s)
        return ranked[max(0, math.ceil(part * len(ranked)) - 1)] * 1000 if ranked else math.nan

    def count(self, status: int, latency_s: float) -> None:
        """One more answer."""
        self.statuses[status] += 1
        if status == 200:
            self.latencies_s.append(latency_s)


def _ignore(answer: Answer, asked_s: float, came_s: float) -> None:
    del answer, asked_s, came_s


async def closed_loop(
    address: Address,
    images: Sequence[bytes],
    *,
    clients: int,
    seconds: float = math.inf,
    requests: float = math.inf,
    wanted: Callable[[], bool] = lambda: True,
    observe: Observe = _ignore,
) -> Load:
    """Each client asks again as soon as it was answered, as long as all three say so."""
    load = Load()
    bodies = itertools.cycle([address.post(image) for image in images])
    began = time.perf_counter()
    end = began + seconds
    places = itertools.count()

    async def client() -> None:
        connection = None
        while wanted() and time.perf_counter() < end and next(places) < requests:
            if connection is None or not connection.is_open:
                connection = await Connection.open(address)
            await _ask(connection, next(bodies), load, since=time.perf_counter(), observe=observe)
        if connection is not None:
            connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    load.seconds = time.perf_counter() - began
    return load


async def constant_rate(
    address: Address,
    images: Sequence[bytes],
    *,
    rate: float,
    seconds: float,
    connections: int = 1024,
    patience_s: float = 30.0,
) -> Load:
    """Requests are sent when they are due, however long the others take; on idle connections.

    Those still unanswered `patience_s` after the last one was sent are given up. Where
    `connections` are busy an arrival is a failure: the server did not keep up, nor refuse.
    """
    load = Load()
    bodies = itertools.cycle([address.post(image) for image in images])
    idle: list[Connection] = []
    busy: set[asyncio.Task[None]] = set()

    async def arrival(due: float) -> None:
        try:
            connection = idle.pop() if idle else await Connection.open(address)
        except OSError:
            load.count(FAILED, 0)
            return
        try:
            await _ask(connection, next(bodies), load, since=due, observe=_ignore)
        except asyncio.CancelledError:
            connection.close()
            raise
        if connection.is_open:
            idle.append(connection)

    began = time.perf_counter()
    for due in _due_times(began, rate, seconds):
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if len(busy) >= connections:
            load.count(FAILED, 0)
            continue
        task = asyncio.create_task(arrival(due))
        busy.add(task)
        task.add_done_callback(busy.discard)
    load.seconds = time.perf_counter() - began
    load.given_up = await _give_up(busy, patience_s)
    for connection in idle:
        connection.close()
    return load


def _due_times(began: float, rate: float, seconds: float) -> Iterator[float]:
    return (began + number / rate for number in range(round(rate * seconds)))


async def _give_up(tasks: set["asyncio.Task[None]"], patience_s: float) -> int:
    """How many of them were not done after that time, and are cancelled."""
    if not tasks:
        return 0
    _, late = await asyncio.wait(tasks, timeout=patience_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return len(late)


async def _ask(
    connection: Connection, request: bytes, load: Load, *, since: float, observe: Observe
) -> None:
    try:
        answer = await connection.ask(request)
    except Disconnected:
        load.count(FAILED, 0)
        return
    now = time.perf_counter()
    load.count(answer.status, now - since)
    observe(answer, since, now)
