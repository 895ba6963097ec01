"""What a run wrote of itself: its figures, and the end of its log."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

METRICS = "metrics.jsonl"
LOG, OLDER_LOG = "log.txt", "log.1.txt"
_FIELDS = frozenset({"epoch", "step", "part", "metrics"})
_BLOCK = 64 * 1024


def metric_points(folder: Path) -> list[dict[str, Any]]:
    """The points of metrics.jsonl, oldest first; lines that a kill cut short are left out."""
    return [point for line in _lines(folder / METRICS) if (point := _point(line))]


def log_tail(folder: Path, lines: int) -> bytes:
    """The last lines of the log, those before its rotation included where they are needed."""
    newest = _tail(folder / LOG, lines)
    missing = lines - newest.count(b"\n") - (1 if newest and not newest.endswith(b"\n") else 0)
    return _tail(folder / OLDER_LOG, missing) + newest if missing > 0 else newest


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _point(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line, parse_constant=lambda _: None)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.keys() == _FIELDS else None


def _tail(file: Path, lines: int) -> bytes:
    """The last lines of one file, read from its end."""
    try:
        with file.open("rb") as opened:
            found = b""
            for block in _blocks_from_end(opened):
                found = block + found
                if found.count(b"\n") > lines:  # one more than asked for: the last may be open
                    break
    except FileNotFoundError:
        return b""
    return b"".join(found.splitlines(keepends=True)[-lines:])


def _blocks_from_end(file: BinaryIO) -> Iterator[bytes]:
    at = file.seek(0, os.SEEK_END)
    while at > 0:
        start = max(at - _BLOCK, 0)
        file.seek(start)
        yield file.read(at - start)
        at = start
