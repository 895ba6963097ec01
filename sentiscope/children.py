"""Programs that are kept running, each in a process group of its own."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_FIRST_DELAY_S, _LAST_DELAY_S = 1.0, 30.0
_HEALTHY_S = 10.0
"""One that ran for longer is started again after the first delay."""

_LOG_BYTES = 4 * 1024 * 1024
"""Of a program's log and of what was put aside from it, each."""

_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be kept running, and how long it may take to end."""

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    stop_s: float
    descriptors: tuple[int, ...] = ()
    """Open files that it inherits."""


class Child:
    """A program that runs, or is about to again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._due_at = 0.0
        self._delay_s = _FIRST_DELAY_S

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it now."""
        self._started_at = time.monotonic()
        self._process = started(self.program)

    def look(self) -> str | None:
        """Start it again if it ended and its time has come; a line when that was noticed."""
        _bound(self.program.log)
        if self._process is None:
            if time.monotonic() >= self._due_at:
                self.start()
            return None
        status = self._process.poll()
        if status is None:
            return None
        self._signal_group(signal.SIGKILL)  # what it leaves behind must not work beside the next
        return self._ended(status)

    def ask_to_end(self) -> None:
        """Send SIGTERM to the process itself: what it started, it ends itself."""
        if self._process is not None and self.is_running:
            self._process.terminate()

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within the time."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End all that is left of it."""
        self._signal_group(signal.SIGKILL)
        self.wait(_LAST_DELAY_S)

    def _ended(self, status: int) -> str:
        lived = time.monotonic() - self._started_at
        if lived > _HEALTHY_S:
            self._delay_s = _FIRST_DELAY_S
        delay, self._delay_s = self._delay_s, min(2 * self._delay_s, _LAST_DELAY_S)
        self._process, self._due_at = None, time.monotonic() + delay
        return (
            f"{self.program.name} ended ({_reason(status)}) and is started again in {delay:.0f} s; "
            f"its log: {self.program.log}"
        )

    def _signal_group(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


class Errand:
    """A program that runs once, beside the children."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = started(program)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended, or that was not looked at yet."""
        return self._process is not None

    def look(self) -> str | None:
        """A line once it has failed."""
        status = self._process.poll() if self._process else None
        if status is None:
            return None
        self._process = None
        if status == 0:
            return None
        return f"{self._program.name} failed ({_reason(status)}); its log: {self._program.log}"

    def kill(self) -> None:
        """End it, if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def started(program: Program) -> subprocess.Popen[bytes]:
    """A process of it, whose output is added to its log; it ends when this process does."""
    program.log.parent.mkdir(parents=True, exist_ok=True)
    launcher = os.getpid()
    with program.log.open("ab") as log:
        return subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=program.environment,
            pass_fds=program.descriptors,
            process_group=0,
            preexec_fn=lambda: _end_with(launcher),
        )


def _bound(log: Path) -> None:
    """Put the older part of a long log aside; whoever has it open goes on at its new end."""
    with suppress(OSError):  # a full disk must not keep programs from being started again
        if log.stat().st_size > _LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".1.log"))
            os.truncate(log, 0)


def _end_with(launcher: int) -> None:
    """In the new process: be sent SIGTERM when the launcher ends, however it ends (Linux)."""
    if sys.platform == "linux":
        _LIBC.prctl(_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != launcher:
            os._exit(1)


def _reason(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
