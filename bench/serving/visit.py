"""One server in one round: every load, and the floor just before it, as the machine changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uvloop

from bench.serving.connection import Address
from bench.serving.floor import floor_latency_ms, floor_rate
from bench.serving.load import Load, closed_loop, constant_rate
from bench.serving.predictor import Predictor
from bench.serving.server import serving
from models.bundle import Bundle
from models.manifest import Precision

MANY, SOME, ONE = "32 clients", "8 clients", "1 client"
HALF, BUSY = "50 % of capacity", "80 % of capacity"
CLIENTS = {MANY: 32, SOME: 8, ONE: 1}
SHARES = {HALF: 0.5, BUSY: 0.8}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and for how long each time."""

    bundle: Bundle
    images: Sequence[bytes]
    cores: int
    seconds: float

    @property
    def floor_s(self) -> float:
        """Seconds of the floor before each load."""
        return self.seconds / 2


@dataclass(frozen=True, slots=True)
class Figures:
    """One load on one server in one round; milliseconds, images a second, MiB."""

    server: str
    precision: Precision
    load: str
    round: int
    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int
    memory_mib: float
    ready_s: float
    floor_rate: float | None = None
    """Of all cores, just before; where as many clients as that could keep them busy."""

    floor_ms: float | None = None
    """Of one image alone, just before; where there is one client."""

    @property
    def share(self) -> float | None:
        """Of the floor's rate."""
        return None if self.floor_rate is None else self.rate / self.floor_rate

    @property
    def above_floor_ms(self) -> float | None:
        """By how much the median is longer than the floor's."""
        return None if self.floor_ms is None else self.p50_ms - self.floor_ms


def visit(server: str, precision: Precision, *, plan: Plan, round: int) -> Iterator[Figures]:
    """Start a server, put every load on it, end it; raises NotInstallable and NotReady."""
    predict = Predictor.open(plan.bundle.path, precision)
    with serving(
        server, plan.bundle, precision=precision, cores=plan.cores, image=plan.images[0]
    ) as found:

        def figures(
            name: str, load: Load, *, rate: float | None = None, latency: float | None = None
        ) -> Figures:
            return Figures(
                server,
                precision,
                name,
                round,
                load.rate,
                p50_ms=load.quantile_ms(0.5),
                p95_ms=load.quantile_ms(0.95),
                p99_ms=load.quantile_ms(0.99),
                errors=load.errors,
                memory_mib=found.processes.mib(),
                ready_s=found.ready_s,
                floor_rate=rate,
                floor_ms=latency,
            )

        _closed(found.address, plan, clients=CLIENTS[SOME])  # warms up
        capacity = 0.0
        for name, clients in CLIENTS.items():
            rate, latency = _floor(predict, plan, clients)
            load = _closed(found.address, plan, clients=clients)
            capacity = max(capacity, load.rate)
            yield figures(name, load, rate=rate, latency=latency)
        for name, share in SHARES.items():
            yield figures(name, _open(found.address, plan, rate=share * capacity))


def _floor(predict: Predictor, plan: Plan, clients: int) -> tuple[float | None, float | None]:
    if clients == 1:
        return None, floor_latency_ms(predict, plan.images, seconds=plan.floor_s)
    return floor_rate(predict, plan.images, workers=plan.cores, seconds=plan.floor_s), None


def _closed(address: Address, plan: Plan, *, clients: int) -> Load:
    return uvloop.run(closed_loop(address, plan.images, clients=clients, seconds=plan.seconds))


def _open(address: Address, plan: Plan, *, rate: float) -> Load:
    return uvloop.run(constant_rate(address, plan.images, rate=rate, seconds=plan.seconds))
