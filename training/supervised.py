"""Life under a supervisor: a process that goes on only while its supervisor lives."""

import ctypes
import io
import os
import signal
import sys
import threading
import time
from typing import Any

from training.config.supervision import STOPPED

_PATIENCE_S = 8.0
"""For a step and a checkpoint; a supervisor that died is replaced a little later."""

_NICENESS = 10
_PR_SET_PDEATHSIG = 1


def stop_with(supervisor: int, *, patience_s: float = _PATIENCE_S) -> None:
    """Be stopped, as by SIGTERM, when the pipe of this descriptor ends: its writer has died.

    A process that has not ended `patience_s` later is ended at once, its checkpoint made or not.
    """
    threading.Thread(
        target=_stop_at_end_of, args=(supervisor, patience_s), name="supervision", daemon=True
    ).start()


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies; elsewhere than on Linux, nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def stand_back() -> None:
    """Leave the processor to those who answer requests; a job takes what they do not need.

    On two cores of a container a prediction beside a training took 20 ms, and takes 12 as if alone.
    """
    os.nice(_NICENESS)


def print_into_the_void() -> None:
    """Let what is printed be lost, and the run go on to its checkpoint, once nobody reads it."""
    sys.stdout, sys.stderr = _printer(sys.stdout.fileno()), _printer(sys.stderr.fileno())


class _Pipe(io.FileIO):
    """A pipe that takes everything even after its reader has died."""

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            return len(content)


def _printer(descriptor: int) -> io.TextIOWrapper:
    pipe = io.BufferedWriter(_Pipe(descriptor, "wb", closefd=False))
    return io.TextIOWrapper(pipe, "utf-8", errors="backslashreplace", line_buffering=True)


def _stop_at_end_of(supervisor: int, patience_s: float) -> None:
    while os.read(supervisor, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(patience_s)
    os._exit(STOPPED)
