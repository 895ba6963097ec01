"""A service with jobs on a port, and a store through which a test plays the worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.app.client import publish_tiny
from tests.app.job_service import DATASETS, job_settings, write_card
from tests.app.server import Server, served
from tests.worker.redis_server import RedisServer
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, Lease

EMOTIONS = '[{"name": "emotions", "kinds": ["single"]}]'
FINETUNE = ("--set", "backbone.name=mobilenet_v2", "--set", f"datasets={EMOTIONS}")
"""What makes `jobs submit finetune` a job."""


@dataclass(frozen=True, slots=True)
class Office:
    """Where jobs are taken in, and where the test does them."""

    folder: Path
    server: Server
    store: JobStore
    settings: JobSettings
    redis: RedisServer

    def claim(self, job_id: str) -> Lease:
        """The lease of a job that runs from now on."""
        lease = self.store.claim(job_id, worker="test", lease_s=60, max_attempts=3)
        assert lease
        return lease

    def tell(self, lease: Lease, *events: dict[str, Any], at: int) -> None:
        """Events of its process, written up to byte `at`."""
        self.store.report(lease, events=list(events), offset=at)

    def end(self, lease: Lease, to: JobStatus, **changes: Any) -> None:
        """The job is done."""
        self.store.move(lease.job_id, to, lease=lease, **changes)

    def write(self, job_id: str, path: str, content: str) -> Path:
        """A file that the job's process wrote."""
        file = self.settings.jobs_root / job_id / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file


@contextmanager
def opened(folder: Path, redis: RedisServer) -> Iterator[Office]:
    """An office whose files lie in `folder`."""
    publish_tiny(folder)
    settings = job_settings(folder, redis)
    for name, kinds in DATASETS.items():
        write_card(settings.datasets_root / name, kinds)
    store = JobStore.connected(settings)
    with service(folder, settings) as server:
        yield Office(folder, server, store, settings, redis)
    store.close()


@contextmanager
def service(folder: Path, settings: JobSettings, *, port: int = 0) -> Iterator[Server]:
    """The service alone; another one can follow it on the same port."""
    names = ("jobs_root", "datasets_root", "uploads_root")
    roots = {name: getattr(settings, name) for name in names}
    with served(folder, redis_url=settings.redis_url, port=port, **roots) as server:
        yield server
