"""What runs on this machine, as /proc tells it; only those processes that work in one folder."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """One process that has not ended."""

    pid: int
    parent: int
    command: str

    def kill(self) -> None:
        """As `kill -9` does."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def working_in(folder: Path) -> list[Process]:
    """Every process whose working directory is `folder` or below it, in the order they began."""
    found = (_process(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    here = [each for each in found if each and _is_in(each.pid, folder)]
    return sorted(here, key=lambda each: each.pid)


def is_alive(pid: int) -> bool:
    """Whether it works; one that has ended and was not waited for does not."""
    return _process(Path("/proc") / str(pid)) is not None


def memory_mib(pid: int, field: str = "VmRSS") -> float:
    """A process's memory: VmRSS now, VmHWM at the highest."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith(f"{field}:")]
    return int(line.split()[1]) / 1024


def until(look: Callable[[], T | None], *, timeout_s: float) -> T:
    """What `look` gives once it gives something; fails after the time."""
    end = time.monotonic() + timeout_s
    while (found := look()) is None:
        assert time.monotonic() < end, f"not within {timeout_s} s"
        time.sleep(_POLL_S)
    return found


def _process(entry: Path) -> Process | None:
    """None where it has ended, or is a zombie."""
    try:
        words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state in "ZX" else Process(int(entry.name), int(parent), words.strip())


def _is_in(pid: int, folder: Path) -> bool:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(folder)
    except OSError:
        return False
