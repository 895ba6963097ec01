"""A worker's place in a test: a store, folders, the colours, and jobs that are really worked on."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.training.generated import DEFAULTS, write_colours
from tests.worker.redis_server import RedisServer, running_redis
from training.run import RunFolder
from worker.jobs import JOB_CONFIG, JobRecord, JobSpec
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, Lease
from worker.supervisor import supervise

PATIENCE_S = 150.0
LONG: dict[str, Any] = {"epochs": 4, "checkpoint_every_s": 1e-3}
"""Some seconds of training, with a checkpoint after every step."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a test's jobs are stored and done."""

    store: JobStore
    settings: JobSettings
    redis: RedisServer

    def told(self, job_id: str) -> list[dict[str, Any]]:
        """All events of the job but its moves."""
        events = [event.data for event in self.store.events(job_id, limit=1000).items]
        return [event for event in events if event["event"] != "status"]

    def submit(self, kind: str = "finetune", *, gpus: int = 1, **changes: Any) -> str:
        """The id of a new job: fine-tuning on the colours, unless told otherwise."""
        defaults = DEFAULTS if kind == "finetune" else {}
        config = JOB_CONFIG.validate_python({**defaults, **changes, "recipe": kind})
        spec = JobSpec.model_validate({"kind": kind, "config": config, "gpus": gpus})
        return self.store.create([JobRecord.of(spec)]).id

    def folder(self, job_id: str) -> Path:
        """The job's run folder."""
        return self.settings.jobs_root / job_id

    def claim(self, job_id: str) -> Lease:
        """The job's lease, which it must be possible to get."""
        settings = self.settings
        lease = self.store.claim(
            job_id,
            worker="tested",
            lease_s=settings.lease_s,
            max_attempts=settings.max_attempts,
        )
        assert lease
        return lease

    def work(self, job_id: str, **settings: Any) -> JobRecord:
        """Work on the job until it is out of hand; its record after that."""
        with self.at_work(job_id, **settings):
            pass
        return self.store.get(job_id)

    @contextmanager
    def at_work(self, job_id: str, **settings: Any) -> Iterator["Working"]:
        """The job while a thread supervises it; at the end that has come to its end too."""
        lease = self.claim(job_id)
        working = Working(self, job_id, lease)
        thread = threading.Thread(
            target=supervise,
            args=(lease, self.store.get(job_id)),
            kwargs={
                "store": self.store,
                "settings": self.settings.model_copy(update=settings),
                "stop": working.stop,
            },
        )
        thread.start()
        try:
            yield working
        except BaseException:
            working.stop.set()
            raise
        finally:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "the supervisor did not come to an end"


@dataclass(frozen=True, slots=True)
class Working:
    """A job that is being worked on."""

    place: Workplace
    job_id: str
    lease: Lease
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def run(self) -> RunFolder:
        """Its run folder."""
        return RunFolder(self.place.folder(self.job_id))

    def wait_for_a_step(self) -> None:
        """Come back after the next checkpoint of a process that has just started."""
        file = self.run.last_checkpoint
        before = file.stat().st_mtime_ns if file.exists() else 0
        wait_until(lambda: file.exists() and file.stat().st_mtime_ns > before)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The training stands still until its supervisor has asked it to stop.

        However fast the machine is, it is not finished before what the test does takes effect.
        """
        pid = training_pid(self.run.path)
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_until(lambda: stands_still(pid))  # before that it would take SIGTERM first
            yield
            wait_until(lambda: is_pending(pid, signal.SIGTERM))
        finally:
            os.kill(pid, signal.SIGCONT)

    def move(self, to: JobStatus) -> None:
        """What the service does on a client's request."""
        self.place.store.move(self.job_id, to)

    def kill(self) -> None:
        """End the training process as the kernel does when memory runs out."""
        os.kill(training_pid(self.run.path), signal.SIGKILL)


def write_few(root: Path) -> Path:
    """The colours that a workplace's jobs train on."""
    return write_colours(root, train=28, val=12, test=6)


@contextmanager
def workplace(root: Path) -> Iterator[Workplace]:
    """A place with everything below `root`, whose processes have one thread each."""
    write_few(root / "datasets")
    settings = JobSettings(
        jobs_root=root / "jobs",
        datasets_root=root / "datasets",
        models_root=root / "models",
        uploads_root=root / "uploads",
        lease_s=9,
    )
    with running_redis(root / "redis") as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        store = JobStore.open(server.url, prefix="test")
        yield Workplace(store, settings, server)
        store.client.close()


def training_pid(folder: Path) -> int:
    """The process that was last started in a job's folder."""
    pid = json.loads((folder / ".process").read_text())["pid"]
    assert isinstance(pid, int)
    return pid


def stands_still(pid: int) -> bool:
    """Whether every thread of a process was stopped, which its being told to does not mean yet."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return {each.read_text().rpartition(")")[2].split()[0] for each in threads} == {"T"}


def is_pending(pid: int, number: signal.Signals) -> bool:
    """Whether a signal was sent to a process that has not taken it yet."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (pending,) = [int(line.split()[1], 16) for line in lines if line.startswith("ShdPnd:")]
    return bool(pending >> (number - 1) & 1)


def wait_until(holds: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> None:
    """Come back when something holds."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
