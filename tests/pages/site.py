"""The service on a port with two tiny versions, a real Redis, and jobs made through the store."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from models.registry import Registry
from tests.app.client import publish_tiny
from tests.app.job_service import FINETUNE, job_settings, write_cards
from tests.app.server import served
from tests.tiny_bundle import tiny_writer
from tests.worker.redis_server import running_redis
from worker.jobs import Progress
from worker.settings import JobSettings
from worker.store import JobStore, Lease

_LONG_S = 3600.0
POINTS = [
    {"epoch": epoch, "step": 0, "part": part, "metrics": {"loss": start / epoch, **more}}
    for epoch in (1, 2, 3)
    for part, start, more in (
        ("train", 2.0, {}),
        ("val", 2.2, {"single.top1": 0.2 + 0.1 * epoch}),
    )
]
LOG = "epoch 1: loss 2.2\nepoch 2: loss 1.1\nepoch 3: loss 0.73\n"


@dataclass(frozen=True, slots=True)
class Site:
    """A running service, and its store to play the worker with."""

    url: str
    settings: JobSettings
    store: JobStore
    registry: Registry

    def submitted(self, document: Mapping[str, Any] = FINETUNE) -> str:
        """The id of a job that the service accepted."""
        response = httpx.post(f"{self.url}/v1/jobs", json=document, timeout=30)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def started(self, document: Mapping[str, Any] = FINETUNE) -> tuple[str, Lease]:
        """A job that runs, in its second of three epochs, with figures and a log."""
        job_id = self.submitted(document)
        lease = self.store.claim(job_id, worker="gpu@test", lease_s=_LONG_S, max_attempts=3)
        assert lease
        self.told(lease, fraction=0.4, epoch=2)
        self.file(job_id, "metrics.jsonl", "".join(json.dumps(each) + "\n" for each in POINTS))
        self.file(job_id, "log.txt", LOG)
        return job_id, lease

    def told(self, lease: Lease, *, fraction: float, epoch: int) -> None:
        """A report of progress."""
        progress = Progress(
            stage="training",
            epoch=epoch,
            epochs=3,
            fraction=fraction,
            images_per_second=61.2,
            eta_seconds=83.0,
        )
        self.store.report(lease, events=[], offset=0, progress=progress, metrics={"loss": 1.1})

    def file(self, job_id: str, path: str, content: str | bytes) -> None:
        """A file that the job's process wrote."""
        file = self.settings.jobs_root / job_id / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def site(folder: Path, **variables: object) -> Iterator[Site]:
    """A service with the model `tiny`, versions 1 (in production) and 2."""
    registry = publish_tiny(folder)
    registry.publish("tiny", tiny_writer("tiny"))
    with running_redis(folder / "redis") as redis:
        settings = job_settings(folder, redis)
        write_cards(settings)
        roots = {
            name: getattr(settings, name) for name in ("jobs_root", "datasets_root", "uploads_root")
        }
        fixed: dict[str, object] = {**roots, "redis_url": redis.url, "keys_file": folder / "keys"}
        store = JobStore.connected(settings)
        with served(folder, **(fixed | variables)) as server:
            yield Site(server.url, settings, store, registry)
        store.close()
