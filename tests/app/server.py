"""The service as a process of its own, on a real port."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Server:
    """A running service and what it said when it was ready."""

    process: subprocess.Popen[str]
    greeting: str

    @property
    def url(self) -> str:
        """Where it said it is."""
        found = re.search(r"http://[^\s/]+", self.greeting)
        assert found, self.greeting
        return found.group()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit status, and the seconds it took."""
        began = time.perf_counter()
        self.process.send_signal(number)
        return self.process.wait(20), time.perf_counter() - began


def environment(**variables: object) -> dict[str, str]:
    """This process's environment with SENTISCOPE_ variables of the test's own."""
    kept = {name: value for name, value in os.environ.items() if "SENTISCOPE" not in name}
    kept.pop("PORT", None)
    return kept | {f"SENTISCOPE_{name.upper()}": str(value) for name, value in variables.items()}


def started(*python: str, **variables: object) -> subprocess.Popen[str]:
    """A process that may be about to serve."""
    return subprocess.Popen(
        [sys.executable, *(python or ("-m", "app.main"))],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def served(folder: Path, *python: str, **variables: object) -> Iterator[Server]:
    """A service on a free port, with the models in `folder`."""
    roots = {"models_root": folder / "models", "shipped_root": folder / "shipped"}
    fixed: dict[str, object] = {"port": 0, "model": "tiny", **roots, **variables}
    with started(*python, **fixed) as process:
        assert process.stdout
        try:
            yield Server(process, process.stdout.readline())
        finally:
            process.kill()


def post_image(url: str, content: bytes) -> httpx.Response:
    """Ask a service on a port for a prediction."""
    headers = {"Content-Type": "application/octet-stream"}
    return httpx.post(f"{url}/v1/predictions", content=content, headers=headers, timeout=20)
