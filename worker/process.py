"""One training process: started in a group of its own, its output kept, ended when it must be."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from training.config.supervision import FENCE_VARIABLE
from worker.logs import JobLog

_OUTPUT_PATIENCE_S = 5.0
"""For what a dead process's own children still print."""

_READ_BYTES = 64 * 1024


class TrainingProcess:
    """`python -m training` under supervision: it stops by itself once this object's pipe closes."""

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], log: JobLog
    ) -> None:
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._lifeline: IO[bytes] = self._process.stdin
        self._output: IO[bytes] = self._process.stdout
        self._pump = threading.Thread(target=_pump, args=(self._output, log), daemon=True)
        self._pump.start()

    @property
    def pid(self) -> int:
        """Of the leader, and so of the group."""
        return self._process.pid

    def wait(self, timeout_s: float) -> int | None:
        """The exit status, negative for a signal; none where it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def ask_to_stop(self) -> None:
        """Ask for a checkpoint and the end."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its group now."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Leave nothing running, and all that was printed in the log."""
        self.kill()
        self._process.wait()
        self._lifeline.close()
        self._pump.join(_OUTPUT_PATIENCE_S)


def command(folder: Path, *, datasets_root: Path, shipped_root: Path, processes: int) -> list[str]:
    """The command line of a run; several processes are started, and numbered, by torchrun."""
    together = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    return [
        *(sys.executable, "-m"),
        *(together if processes > 1 else ()),
        *("training", str(folder), "--datasets", str(datasets_root.absolute())),
        *("--shipped", str(shipped_root.absolute()), "--supervised"),
    ]


def environment(inherited: Mapping[str, str], *, token: int) -> dict[str, str]:
    """The inherited variables without this service's own, some of which are secret."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith("SENTISCOPE_") and name != "REDIS_URL"
    }
    return {**kept, FENCE_VARIABLE: str(token), "PYTHONUNBUFFERED": "1"}


def _pump(output: IO[bytes], log: JobLog) -> None:
    with output:
        while printed := os.read(output.fileno(), _READ_BYTES):
            log.feed(printed)
