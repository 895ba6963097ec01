"""All of Sentiscope at work on a job whose outcome is known, so that parts of it can be killed."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentiscope.client import Client, Retries
from sentiscope.service.job import Event, Job
from tests.processes import Process, until, working_in
from tests.sentiscope.launched import Launched
from tests.training.generated import DEFAULTS
from training.run import RunFolder
from worker.settings import JobSettings

RECOVERY_S = 60.0
"""Within which a job goes on after any kill, with the settings as they come."""

PATIENCE_S = 180.0
"""For what nobody promised a time for, on a machine that does much else."""

LONGEST_S = 600.0
"""For a whole job, on a machine that does much else."""

PATIENT = Retries(attempts=10_000, patience_s=LONGEST_S)

EPOCHS = 20
CONFIG: Mapping[str, Any] = {**DEFAULTS, "epochs": EPOCHS, "checkpoint_every_s": 0.2}
SETTINGS: Mapping[str, float] = {
    "lease_s": 4,
    "sweep_every_s": 0.5,
    "max_attempts": 1000,
    "stop_grace_s": 8,
}
_FINDING = ("lease_s", "sweep_every_s")
"""Settings that say how soon a job without a worker is found."""

_WATCH_EVERY_S = 0.02


@dataclass(slots=True)
class Crowd:
    """The most training processes of one job that were ever seen at once."""

    seen: list[Process] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self, folder: Path, job_id: str) -> Iterator[None]:
        """Look again and again, for as long as the block lasts."""
        thread = threading.Thread(target=self._watch, args=(folder, job_id))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self, folder: Path, job_id: str) -> None:
        while not self._over.is_set():
            seen = training(folder, job_id)
            if len(seen) > len(self.seen):
                self.seen = seen
            time.sleep(_WATCH_EVERY_S)


@dataclass(frozen=True, slots=True)
class Plant:
    """A running launcher, and a client of its API that waits out an outage."""

    launched: Launched
    client: Client

    def submit(self, *, epochs: int = EPOCHS) -> str:
        """The job that every test does."""
        return self.client.jobs.submit("finetune", {**CONFIG, "epochs": epochs}).id

    def run(self, job_id: str) -> RunFolder:
        """The job's run folder."""
        return RunFolder(self.launched.folder / "var" / "jobs" / job_id)

    def wait_for_an_epoch(self, job_id: str) -> None:
        """Until it has made a checkpoint and then ended another epoch, and is in the next."""
        before = self._epochs(job_id)
        until(lambda: self._epochs(job_id) > before or None, timeout_s=PATIENCE_S)

    def time_until_it_goes_on(self, job_id: str) -> float:
        """Seconds until it has got beyond where it was, or has ended."""
        before, since = self._epochs(job_id), time.monotonic()

        def look() -> bool | None:
            beyond = self._epochs(job_id) > before
            return beyond or self.run(job_id).results_file.exists() or None

        until(look, timeout_s=LONGEST_S)
        return time.monotonic() - since

    def wait_for_the_end(self, job_id: str) -> Job:
        """Its record, once it has ended."""

        def look() -> Job | None:
            job = self.client.jobs.get(job_id)
            return job if job.has_ended else None

        return until(look, timeout_s=LONGEST_S)

    def training(self, job_id: str) -> Process:
        """The process that trains it."""
        folder = self.launched.folder
        return until(lambda: next(iter(training(folder, job_id)), None), timeout_s=PATIENCE_S)

    def pool_child(self) -> Process:
        """The child of the worker's main process that sees jobs through."""
        main = self.launched.worker.pid

        def look() -> Process | None:
            here = working_in(self.launched.folder)
            return next((p for p in here if p.parent == main and "celery" in p.command), None)

        return until(look, timeout_s=PATIENCE_S)

    def _epochs(self, job_id: str) -> int:
        file = self.run(job_id).metrics_file
        return len(file.read_bytes().splitlines()) if file.exists() else 0


def kill_training(plant: Plant, job_id: str) -> None:
    """`kill -9` of the process that trains."""
    plant.training(job_id).kill()


def kill_pool_child(plant: Plant, job_id: str) -> None:
    """`kill -9` of the Celery child that supervises it."""
    plant.training(job_id)
    plant.pool_child().kill()


def kill_worker(plant: Plant, job_id: str) -> None:
    """`kill -9` of the worker's main process and its child."""
    plant.training(job_id)
    os.killpg(plant.launched.worker.pid, signal.SIGKILL)


def kill_worker_main(plant: Plant, job_id: str) -> None:
    """`kill -9` of the worker's main process alone."""
    plant.training(job_id)
    plant.launched.worker.kill()


def kill_api(plant: Plant, job_id: str) -> None:
    """`kill -9` of the API, with a client that follows the job's events."""
    plant.training(job_id)
    plant.launched.api.kill()


def kill_redis(plant: Plant, job_id: str) -> None:
    """`kill -9` of Redis, which is started again on the same files."""
    plant.training(job_id)
    plant.launched.redis.kill()


KILLS: tuple[Callable[[Plant, str], None], ...] = (
    kill_training,
    kill_pool_child,
    kill_worker,
    kill_worker_main,
    kill_api,
    kill_redis,
)


def recovery_limit_s() -> float:
    """RECOVERY_S, less what a job without a worker is found sooner with SETTINGS."""
    sooner_s: float = sum(
        JobSettings.model_fields[name].default - SETTINGS[name] for name in _FINDING
    )
    return RECOVERY_S - sooner_s


def training(folder: Path, job_id: str) -> list[Process]:
    """The processes that train a job; what one starts has its command line for a moment."""
    found = [p for p in working_in(folder) if "-m training" in p.command and job_id in p.command]
    return [p for p in found if p.parent not in {each.pid for each in found}]


@contextmanager
def listened(plant: Plant, job_id: str) -> Iterator[list[Event]]:
    """What the stream tells a client that stays with it, whole at the end of the block."""
    told: list[Event] = []

    def listen() -> None:
        told.extend(plant.client.jobs.handle(job_id).watch())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield told
    thread.join(LONGEST_S)
    assert not thread.is_alive(), "the stream did not come to its end"
