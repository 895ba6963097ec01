"""A server that runs and is ready."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.serving.connection import Address, Connection, Disconnected
from bench.serving.contenders import OURS, PEERS
from bench.serving.environments import ROOT, environment, own_environment
from bench.serving.predictor import BUNDLE, CORES, PORT, PRECISION
from bench.serving.processes import Processes, free_port, running
from models.bundle import Bundle
from models.manifest import Precision

LOGS = Path("var/bench/logs")
_NO_KEYS = "var/bench/no-keys.json"
_PATIENCE_S = 120.0


class NotReady(Exception):
    """The server did not answer an image in time."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where it takes images, and its processes."""

    address: Address
    processes: Processes
    ready_s: float
    """Seconds from its start to its first answer."""


@contextmanager
def serving(
    name: str, bundle: Bundle, *, precision: Precision, cores: int, image: bytes
) -> Iterator[Server]:
    """One of SERVERS; raises NotInstallable and NotReady."""
    if name == OURS:
        with serving_ours(bundle, image=image, precision=precision) as server:
            yield server
        return
    peer, port = PEERS[name], free_port()
    python = environment(name, peer.requirements)
    places = {
        "python": python,
        "bin": python.parent,
        "handler": ROOT / "bench" / "serving" / "peers" / f"{name}_peer.py",
        "port": port,
        "root": ROOT,
    }
    variables = {
        **peer.environment,
        "PYTHONPATH": str(ROOT),
        BUNDLE: str(bundle.path.resolve()),
        PRECISION: precision.value,
        PORT: str(port),
        CORES: str(cores),
    }
    command = [word.format(**places) for word in peer.command.split()]
    with _started(name, command, variables, address=Address(port, peer.path), image=image) as found:
        yield found


@contextmanager
def serving_ours(
    bundle: Bundle, *, image: bytes, root: Path | None = None, **settings: object
) -> Iterator[Server]:
    """Sentiscope as `make serve` has it, with `bundle`; `root` is where its models lie."""
    python, port = own_environment(), free_port()
    model = bundle.label if root is None else bundle.manifest.name
    root = root or bundle.path.parent.parent
    named = {"port": port, "model": model, "models_root": root.resolve(), "keys_file": _NO_KEYS}
    variables = {
        f"SENTISCOPE_{key.upper()}": str(value) for key, value in (named | settings).items()
    }
    command = [str(python.parent / "sentiscope"), "serve"]
    with _started(
        OURS, command, variables, address=Address(port, "/v1/predictions"), image=image
    ) as found:
        yield found


@contextmanager
def _started(
    name: str, command: list[str], variables: Mapping[str, str], *, address: Address, image: bytes
) -> Iterator[Server]:
    log = LOGS / f"{name}.log"
    began = time.perf_counter()
    with running(command, variables, log=log, folder=ROOT) as processes:
        request = address.post(image)
        while not asyncio.run(_answers(address, request)):
            if processes.first.poll() is not None:
                raise NotReady(f"{name} ended with {processes.first.returncode}; see {log}")
            if time.perf_counter() - began > _PATIENCE_S:
                raise NotReady(f"{name} gave no answer in {_PATIENCE_S:g} s; see {log}")
            time.sleep(0.02)
        yield Server(address, processes, time.perf_counter() - began)


async def _answers(address: Address, request: bytes) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_S / 10):
            connection = await Connection.open(address)
            try:
                return (await connection.ask(request)).status == 200
            finally:
                connection.close()
    except (OSError, TimeoutError, Disconnected):
        return False
