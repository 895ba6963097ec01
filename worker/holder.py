"""Which process a job's folder was last given to, so that one left over can be ended."""

import json
import os
import signal
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from models.files import replace_text

_FILE = ".process"
_ENDED = ("Z", "X")
"""States of a process that nobody has waited for: a container's first process may never."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The leader of a process group, told apart from a later process with its number."""

    host: str
    pid: int
    started: str
    """Clock ticks from the host's start to the process's."""

    def write(self, folder: Path) -> None:
        """Note it in a job's folder, where it is read whole or not at all."""
        replace_text(folder / _FILE, json.dumps(asdict(self)) + "\n")


def holder(pid: int) -> Holder | None:
    """The process `pid` of this host; none where it ended, or the host does not tell (no /proc)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *numbers = status.rpartition(")")[2].split()
    if state in _ENDED:
        return None
    return Holder(_this_host(), pid, numbers[18])


def is_left_over(folder: Path) -> bool:
    """Whether the process noted in `folder` lives, and lives here; it may hold no lock any more."""
    return _left_over(folder) is not None


def end_left_over(folder: Path) -> bool:
    """Kill the group of the process noted in `folder`; false unless it lives, and lives here."""
    noted = _left_over(folder)
    if noted is None:
        return False
    with suppress(ProcessLookupError):
        os.killpg(noted.pid, signal.SIGKILL)
    return True


def _left_over(folder: Path) -> Holder | None:
    try:
        noted = Holder(**json.loads((folder / _FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return noted if holder(noted.pid) == noted else None


def _this_host() -> str:
    """Name, start and name space of processes: in another container numbers mean other things."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
