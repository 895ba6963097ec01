"""The compose file as data: what a container of each service would be started with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.containers.dockerfile import ROOT, image

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("api", "worker", "worker-cpu")
_REDIS_FOLDER = "/data"
"""The working folder of Redis's own image."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume or a folder of the host, and where a container sees it."""

    source: str
    target: str
    is_writable: bool


@dataclass(frozen=True, slots=True)
class Service:
    """All that a container is started with."""

    name: str
    user: int
    folder: str
    command: tuple[str, ...]
    healthcheck: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    stop_s: float


def service(name: str) -> Service:
    """That of the compose file, over what its image says."""
    given = COMPOSE["services"][name]
    mounts = tuple(map(mount_of, given["volumes"]))
    if "build" not in given:
        health = tuple(given["healthcheck"]["test"][1:])
        user = int(given["user"].partition(":")[0])
        return Service(name, user, _REDIS_FOLDER, tuple(given["command"]), health, {}, mounts, 10)
    made = image(given["build"]["target"])
    return Service(
        name,
        int(made.user.partition(":")[0]),
        made.folder,
        made.command,
        made.healthcheck,
        {**made.environment, **given["environment"]},
        mounts,
        float(given["stop_grace_period"].removesuffix("s")),
    )


def mount_of(text: str) -> Mount:
    """What a line of `volumes` says."""
    plain = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)  # as where the variable is not set
    source, target, *options = plain.split(":")
    return Mount(source, target, is_writable=options != ["ro"])
