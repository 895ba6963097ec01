"""`sentiscope run` as a process of its own, in a folder of its own."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.app.server import environment
from tests.processes import Process, until, working_in

_READY_S = 300.0


@dataclass(frozen=True, slots=True)
class Launched:
    """A launcher that is ready, and the processes below it."""

    process: subprocess.Popen[str]
    folder: Path
    url: str

    @property
    def redis(self) -> Process:
        """The embedded server."""
        return self._child("redis-server")

    @property
    def api(self) -> Process:
        """The API."""
        return self._child("app.main")

    @property
    def worker(self) -> Process:
        """The worker's main process."""
        return self._child("celery")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit status, and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(_READY_S), time.monotonic() - began

    def _child(self, word: str) -> Process:
        def look() -> Process | None:
            here = working_in(self.folder)
            found = [p for p in here if p.parent == self.process.pid and word in p.command]
            return found[0] if found else None

        return until(look, timeout_s=_READY_S)


def start(folder: Path, *, port: int, **variables: object) -> subprocess.Popen[str]:
    """A launcher that may be about to run; its output goes to files in `folder`."""
    return start_telling(folder, folder, port=port, **variables)


def start_telling(
    folder: Path, told: Path, *, port: int, **variables: object
) -> subprocess.Popen[str]:
    """A launcher in `folder` whose output goes to files in `told`, where they are made anew."""
    kept = {name: v for name, v in environment(**variables).items() if name != "REDIS_URL"}
    with (told / "out.txt").open("w") as out, (told / "err.txt").open("w") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "sentiscope", "run", "--port", str(port)],
            cwd=folder,
            env=kept,
            stdout=out,
            stderr=err,
            text=True,
        )


@contextmanager
def launched(folder: Path, **variables: object) -> Iterator[Launched]:
    """A launcher that has said that it is ready; nothing of it is left in the end."""
    process = start(folder, port=0, **variables)
    try:
        url = until(lambda: _url(folder, process), timeout_s=_READY_S)
        yield Launched(process, folder, url)
    finally:
        process.kill()
        process.wait()
        for each in working_in(folder):
            each.kill()


def _url(folder: Path, process: subprocess.Popen[str]) -> str | None:
    assert process.poll() is None, (folder / "err.txt").read_text()
    found = re.search(r"Sentiscope at (http://[^\s/]+)", (folder / "out.txt").read_text())
    return found.group(1) if found else None
