"""The Dockerfile as data: its stages, and what each tells the image."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Image:
    """What a container of a stage starts with."""

    environment: Mapping[str, str]
    user: str
    folder: str
    command: tuple[str, ...]
    healthcheck: tuple[str, ...]


def image(target: str) -> Image:
    """That of a stage, the stages it is made from included."""
    said = _instructions(target)
    environment: dict[str, str] = {}
    for _, words in (each for each in said if each[0] == "ENV"):
        for name, _, value in (word.partition("=") for word in shlex.split(words)):
            environment[name] = value
    last = dict(said)
    return Image(
        environment,
        user=last["USER"],
        folder=last["WORKDIR"],
        command=tuple(json.loads(last["CMD"])),
        healthcheck=tuple(json.loads(last["HEALTHCHECK"].partition("CMD")[2])),
    )


def _instructions(target: str) -> list[tuple[str, str]]:
    """Instructions and their words, in order; what an outer stage says comes first."""
    joined = re.sub(r"\\\n\s*", " ", TEXT)
    for stage in re.split(r"^FROM ", joined, flags=re.MULTILINE)[1:]:
        head, *lines = stage.splitlines()
        base, _, name = head.split()
        if name == target:
            own = [line.partition(" ") for line in lines if re.match(r"[A-Z]+ ", line)]
            outer = _instructions(base) if f" AS {base}\n" in joined else []
            return [*outer, *((word, rest) for word, _, rest in own)]
    raise KeyError(f"the Dockerfile has no stage {target!r}")
