"""Five times as much as the service can do, for a minute: it says no, and nothing grows."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.serving.checks import Check
from bench.serving.connection import Connection, Disconnected
from bench.serving.load import closed_loop, constant_rate
from bench.serving.server import Server

TIMES = 5
MOST_GROWTH = 1.05
MOST_RECOVERY_S = 1.0
ALLOWED = {200, 429, 504}
_SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Overload:
    """What came of it."""

    capacity: float
    statuses: dict[int, int]
    mib: Sequence[float]
    """Resident, every half second, from the second sixth of the load on: queues are full then."""

    recovery_s: float
    """Seconds from the load's end, when its clients left, to the next client's 200."""

    def checks(self) -> list[Check]:
        """What must hold."""
        strange = sum(n for status, n in self.statuses.items() if status not in ALLOWED)
        growth = max(self.mib) / self.mib[0]
        return [
            Check(f"{TIMES}x overload: 200, 429 and 504 alone", strange, strange == 0),
            Check(f"{TIMES}x overload: memory * <= {MOST_GROWTH}", growth, growth <= MOST_GROWTH),
            Check(
                f"{TIMES}x overload: a 200 within {MOST_RECOVERY_S:g} s of its end",
                self.recovery_s,
                self.recovery_s <= MOST_RECOVERY_S,
            ),
        ]


async def overload(server: Server, images: Sequence[bytes], *, seconds: float) -> Overload:
    """Find the capacity, exceed it, and see how long it takes to recover."""
    fair = await closed_loop(server.address, images, clients=32, seconds=max(2.0, seconds / 6))
    mib: list[float] = []
    watching = asyncio.create_task(_watch(server, mib, after_s=seconds / 6))
    load = await constant_rate(
        server.address, images, rate=TIMES * fair.rate, seconds=seconds, patience_s=0
    )
    ended = time.perf_counter()
    watching.cancel()
    request = server.address.post(images[0])
    while await _status(server, request) != 200:
        await asyncio.sleep(0.01)
    recovery = time.perf_counter() - ended
    return Overload(fair.rate, dict(load.statuses), mib, recovery)


async def _watch(server: Server, mib: list[float], *, after_s: float) -> None:
    await asyncio.sleep(after_s)
    while True:
        mib.append(server.processes.mib())
        await asyncio.sleep(_SAMPLE_S)


async def _status(server: Server, request: bytes) -> int:
    connection = await Connection.open(server.address)
    try:
        return (await connection.ask(request)).status
    except Disconnected:
        return 0
    finally:
        connection.close()
