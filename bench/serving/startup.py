"""How soon the installed service answers, and in how much memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import uvloop

from bench.serving.checks import Check
from bench.serving.load import closed_loop
from bench.serving.server import serving_ours
from models.bundle import Bundle

MOST_S = 2.0
MOST_MIB = 350


@dataclass(frozen=True, slots=True)
class Startup:
    """Seconds from the start to the first answer, and MiB of all processes after 100 images."""

    seconds: Sequence[float]
    mib: Sequence[float]

    def checks(self) -> list[Check]:
        """What must hold."""
        seconds, mib = median(self.seconds), median(self.mib)
        return [
            Check(f"start to ready <= {MOST_S:g} s", seconds, seconds <= MOST_S),
            Check(f"resident <= {MOST_MIB} MiB", mib, mib <= MOST_MIB),
        ]


def startup(bundle: Bundle, images: Sequence[bytes], *, starts: int) -> Startup:
    """Start it so often; the first start, which may compile and read from a disk, is left out."""
    seconds, mib = [], []
    for number in range(starts + 1):
        with serving_ours(bundle, image=images[0]) as server:
            uvloop.run(closed_loop(server.address, images, clients=8, requests=100))
            if number:
                seconds.append(server.ready_s)
                mib.append(server.processes.mib())
    return Startup(seconds, mib)
