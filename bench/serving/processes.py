"""Processes that the bench starts: found again by a mark in their environment, and all ended."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_MARK = "BENCH_MARK"
_GRACE_S = 10.0
_POLL_S = 0.05
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Processes:
    """The process that was started, and all that it started; some leave its group and parent."""

    first: subprocess.Popen[bytes]
    mark: str

    def pids(self) -> list[int]:
        """Those that are alive."""
        wanted = f"{_MARK}={self.mark}".encode()
        numbers = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
        return [pid for pid in numbers if wanted in _read(pid, "environ").split(b"\0")]

    def mib(self) -> float:
        """Memory of all of them; what they share counts once."""
        return sum(_kib(pid, "smaps_rollup", "Pss") for pid in self.pids()) / 1024

    def end(self) -> None:
        """Ask them to stop, and after some seconds make them."""
        if self.first.poll() is None:
            self.first.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.first.wait(_GRACE_S)
        while pids := self.pids():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.first.poll() is None:
                self.first.wait(_GRACE_S)
            time.sleep(_POLL_S)


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], *, log: Path, folder: Path
) -> Iterator[Processes]:
    """Start a command in `folder`; whatever happens, nothing of it is left afterwards."""
    mark = secrets.token_hex(8)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said:
        first = subprocess.Popen(
            command,
            env={**_inherited(), **environment, _MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=folder,
            start_new_session=True,  # Ctrl-C is ours; they are ended in order
        )
        found = Processes(first, mark)
        try:
            yield found
        finally:
            found.end()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _inherited() -> dict[str, str]:
    """This environment without what would set a service up in another way."""
    return {name: value for name, value in os.environ.items() if "SENTISCOPE_" not in name}


def _read(pid: int, name: str) -> bytes:
    """Empty where the process has ended, is a zombie, or is somebody else's."""
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def _kib(pid: int, name: str, field: str) -> int:
    for line in _read(pid, name).splitlines():
        if line.startswith(f"{field}:".encode()):
            return int(line.split()[1])
    return 0
