"""Promotions and rollbacks under load: none fails, none is answered by what was not current."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.serving.checks import Check
from bench.serving.connection import Answer
from bench.serving.load import closed_loop
from bench.serving.server import Server
from models.bundle import Bundle, write_manifest
from models.registry import PRODUCTION, Registry

CLIENTS = 8
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Promotion:
    """One move of the alias."""

    version: str
    asked_s: float
    answered_s: float


@dataclass(slots=True)
class Promotions:
    """All moves, and all answers meanwhile."""

    made: list[Promotion] = field(default_factory=list)
    answers: int = 0
    failed: int = 0
    wrong: int = 0
    """Answers of a version that was current at no time between request and answer."""

    def checks(self) -> list[Check]:
        """What must hold."""
        moves = len(self.made) - 1
        return [
            Check(f"{moves} promotions: no request failed", self.failed, self.failed == 0),
            Check(f"{moves} promotions: no version out of turn", self.wrong, self.wrong == 0),
        ]

    def current(self, since: float, until: float) -> set[str]:
        """Versions that were current at some time in between."""
        before = [each for each in self.made if each.answered_s <= since]
        during = {e.version for e in self.made if e.answered_s > since and e.asked_s < until}
        return during | ({before[-1].version} if before else set())


def publish_twice(bundle: Bundle, root: Path) -> str:
    """Publish `bundle` as versions 1 and 2 below `root`, 1 in production; returns their name."""
    name = bundle.manifest.name
    registry = Registry(root, shipped=root / "none")

    def write(folder: Path, version: str) -> None:
        for file in bundle.path.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        write_manifest(folder, bundle.manifest.model_copy(update={"version": version}))

    for _ in range(2):
        registry.publish(name, write)
    registry.set_alias(name, PRODUCTION, version="1")
    return name


async def promotions(
    server: Server, images: Sequence[bytes], *, name: str, count: int
) -> Promotions:
    """Move the alias `count` times while clients ask for what it points to."""
    found = Promotions([Promotion("1", 0.0, 0.0)])
    answered: list[tuple[str, float, float]] = []

    def observe(answer: Answer, asked_s: float, came_s: float) -> None:
        if answer.status == 200:
            answered.append((json.loads(answer.body)["model"]["version"], asked_s, came_s))

    moving = asyncio.create_task(_move(server, found, name=name, count=count))
    load = await closed_loop(
        server.address,
        images,
        clients=CLIENTS,
        wanted=lambda: not moving.done(),
        observe=observe,
    )
    await moving
    found.answers, found.failed = load.statuses.total(), load.errors
    found.wrong = sum(
        version not in found.current(asked_s, came_s) for version, asked_s, came_s in answered
    )
    return found


async def _move(server: Server, found: Promotions, *, name: str, count: int) -> None:
    url = f"http://{server.address.host}:{server.address.port}"
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        for number in range(count):
            version = "12"[(number + 1) % 2]
            asked_s = time.perf_counter()
            said = await client.put(
                f"/v1/models/{name}/aliases/{PRODUCTION}", json={"version": version}
            )
            said.raise_for_status()
            found.made.append(Promotion(version, asked_s, time.perf_counter()))
            await asyncio.sleep(_PAUSE_S)
