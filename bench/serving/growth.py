"""Memory after very many requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.serving.checks import Check
from bench.serving.load import closed_loop
from bench.serving.server import Server

MOST_GROWTH = 1.05
_WARM_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Growth:
    """Resident memory after the first few requests, and after all."""

    requests: int
    failed: int
    first_mib: float
    last_mib: float

    def checks(self) -> list[Check]:
        """What must hold."""
        grown = self.last_mib / self.first_mib
        return [
            Check(f"{self.requests:,} requests: none failed", self.failed, self.failed == 0),
            Check(
                f"{self.requests:,} requests: memory * <= {MOST_GROWTH}",
                grown,
                grown <= MOST_GROWTH,
            ),
        ]


async def growth(server: Server, images: Sequence[bytes], *, requests: int) -> Growth:
    """Ask so often, 32 clients at once."""
    first = max(200, int(requests * _WARM_SHARE))
    warm = await closed_loop(server.address, images, clients=32, requests=first)
    first_mib = server.processes.mib()
    load = await closed_loop(server.address, images, clients=32, requests=requests - first)
    return Growth(requests, warm.errors + load.errors, first_mib, server.processes.mib())
