"""The service under fire."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.app.server import Server
from tests.processes import memory_mib

MAX_PIXELS = 1_000_000
_TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Target:
    """A running service, and path parameters that name what it has."""

    server: Server
    known: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    def mib(self, field: str) -> float:
        """Its memory as /proc tells it: VmRSS now, VmHWM at the highest."""
        return memory_mib(self.server.process.pid, field)

    def cpu_s(self) -> float:
        """Seconds of processor time that it has taken so far."""
        stat = Path(f"/proc/{self.server.process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS_S
