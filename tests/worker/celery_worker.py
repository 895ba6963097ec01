"""Real Celery workers, whose jobs sleep."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from worker.jobs import JobRecord
from worker.settings import JobSettings

ROOT = Path(__file__).parents[2]
PATIENCE_S = 40


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a job: which attempt, in which child of which worker."""

    attempt: int
    child: int
    worker: int


@dataclass(frozen=True, slots=True)
class CeleryWorker:
    """A running worker and what it writes."""

    process: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True, slots=True)
class Sleepers:
    """Workers over one Redis, and the folder their jobs write to."""

    settings: JobSettings

    @contextmanager
    def worker(self, name: str, *, queues: str = "gpu,cpu") -> Iterator[CeleryWorker]:
        """A worker that is ready."""
        log = self.settings.jobs_root / f"{name}.log"
        celery = [sys.executable, "-m", "celery", "--app", "tests.worker.sleeping_app", "worker"]
        quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*celery, *quiet, "--hostname", name, "--queues", queues],
                cwd=ROOT,
                env=self._environment(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            eventually(lambda: "ready." in log.read_text(), lambda: log.read_text())
            yield CeleryWorker(process, log)
        finally:
            with suppress(ProcessLookupError):  # the test ended it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def starts(self, record: JobRecord) -> list[Start]:
        """Every start of a job so far."""
        file = self.settings.jobs_root / f"{record.id}.started"
        lines = file.read_text().splitlines() if file.exists() else []
        return [Start(*map(int, line.split())) for line in lines]

    def finish(self, record: JobRecord) -> None:
        """Let a job succeed."""
        (self.settings.jobs_root / f"{record.id}.finish").touch()

    def _environment(self) -> dict[str, str]:
        named = {
            "redis_url": self.settings.redis_url,
            "redis_prefix": self.settings.redis_prefix,
            "jobs_root": self.settings.jobs_root,
            "lease_s": self.settings.lease_s,
            "sweep_every_s": self.settings.sweep_every_s,
        }
        return dict(os.environ) | {
            f"SENTISCOPE_{name.upper()}": str(value) for name, value in named.items()
        }


def eventually(
    condition: Callable[[], object], explain: Callable[[], object], *, within_s: float = PATIENCE_S
) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)
