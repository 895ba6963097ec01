"""Whether files changed since they were last looked at, for the price of asking for their times."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_COARSEST_CLOCK_NS = 2_000_000_000
"""Changes within one tick of a file system's clock look alike; the coarsest in use ticks 2 s."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Equal for the same paths when nothing in these folders, and in none of the files, changed."""

    entries: tuple[tuple[int, int, int] | None, ...]
    settled: bool
    """Whether any later change will show; while it does not hold, look again."""

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Self:
        """The state of `paths`, now; some may be missing."""
        entries = tuple(_entry(path) for path in paths)
        latest = max((entry[0] for entry in entries if entry is not None), default=0)
        return cls(entries, settled=time.time_ns() - latest > _COARSEST_CLOCK_NS)


def _entry(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
