"""Life under a supervisor: a process that goes on only while its supervisor lives."""

import ctypes
import os
import signal
import sys
import threading
import time

from training.config.supervision import STOPPED

_PATIENCE_S = 8.0
"""For a step and a checkpoint; a supervisor that died is replaced a little later."""

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


def _stop_at_end_of(supervisor: int, patience_s: float) -> None:
    while os.read(supervisor, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(patience_s)
    os._exit(STOPPED)
