"""Reads what a run has appended to its events file since it was last looked at."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Some events in order, and the byte after the last of them."""

    events: tuple[Mapping[str, Any], ...]
    offset: int


def events_from(file: Path, offset: int, *, chunk_bytes: int = _CHUNK_BYTES) -> EventBatch | None:
    """The whole lines from byte `offset` on, about `chunk_bytes` of them; none where there is none.

    A line that is no JSON object was cut short by a kill: it is passed over.
    """
    try:
        with file.open("rb") as opened:
            opened.seek(offset)
            chunk = opened.read(chunk_bytes)
            if b"\n" not in chunk:
                chunk += opened.readline()
    except FileNotFoundError:
        return None
    whole = chunk[: chunk.rfind(b"\n") + 1]
    if not whole:
        return None
    found = (_event(line) for line in whole.splitlines())
    return EventBatch(tuple(event for event in found if event), offset + len(whole))


def size_of(file: Path) -> int:
    """Bytes of an events file; none where there is none."""
    return file.stat().st_size if file.exists() else 0


def _event(line: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
