"""A service with jobs, its real Redis, and data sets as far as their cards go."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from models.labels import LabelKind, LabelSet
from tests.app.client import Client, publish_tiny, serving, tiny_settings
from tests.worker.redis_server import RedisServer
from training.config.dataset_card import CARD, DatasetCard, Split
from worker.jobs import JobRecord
from worker.settings import JobSettings
from worker.store import JobStore, Lease

DATASETS = {
    "emotions": (LabelKind.SINGLE, LabelKind.DISTRIBUTION),
    "demo-emotions": tuple(LabelKind),
    "demo-scenes": (LabelKind.SINGLE,),
    "demo-pairs": (LabelKind.SINGLE,),
}
FINETUNE: dict[str, Any] = {
    "kind": "finetune",
    "config": {
        "backbone": {"name": "mobilenet_v2"},
        "datasets": [{"name": "emotions", "kinds": ["single"]}],
        "epochs": 3,
    },
}


@dataclass(frozen=True, slots=True)
class JobService:
    """What a test needs to speak to the service, and to play the worker."""

    client: Client
    store: JobStore
    settings: JobSettings
    redis: RedisServer

    def clear(self) -> None:
        """Forget all jobs and their files; put the data sets back."""
        self.store.client.flushall()
        for folder in (self.settings.jobs_root, self.settings.datasets_root):
            shutil.rmtree(folder, ignore_errors=True)
        write_cards(self.settings)

    def submit(self, document: Any, *, key: str | None = None) -> httpx.Response:
        """POST a job."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        return self.client.request("POST", "/v1/jobs", json=document, headers=headers)

    def submitted(self, document: Any = FINETUNE) -> str:
        """The id of a job that was accepted."""
        response = self.submit(document)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def get(self, job_id: str, rest: str = "", **headers: str) -> httpx.Response:
        """GET what a job has at `rest`."""
        return self.client.request("GET", f"/v1/jobs/{job_id}{rest}", headers=headers)

    def act(self, job_id: str, action: str) -> httpx.Response:
        """POST one of the actions."""
        return self.client.request("POST", f"/v1/jobs/{job_id}/{action}")

    def claimed(self, job_id: str) -> Lease:
        """The lease of a job that runs now."""
        lease = self.store.claim(job_id, worker="test", lease_s=60, max_attempts=3)
        assert lease
        return lease

    def ended(self, job_id: str, status: Any, **changes: Any) -> JobRecord:
        """A job that ran and ended so."""
        return self.store.move(job_id, status, lease=self.claimed(job_id), **changes)

    def file(self, job_id: str, path: str, content: bytes) -> Path:
        """A file that the job's process wrote."""
        file = self.settings.jobs_root / job_id / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file


def job_settings(folder: Path, redis: RedisServer, **changes: Any) -> JobSettings:
    """Settings whose folders lie in `folder`."""
    roots = ("jobs", "datasets", "uploads", "models")
    fixed: dict[str, Any] = {f"{name}_root": folder / name for name in roots}
    fixed |= {"redis_url": redis.url, "weights_roots": (folder / "weights",)}
    return JobSettings(**(fixed | changes))


@contextmanager
def serving_jobs(folder: Path, redis: RedisServer, **changes: Any) -> Iterator[JobService]:
    """A service with a tiny model and the data sets of DATASETS."""
    publish_tiny(folder)
    settings = job_settings(folder, redis, **changes)
    write_cards(settings)
    store = JobStore.connected(settings)
    with serving(tiny_settings(folder), settings) as client:
        yield JobService(client, store, settings, redis)
    store.close()


def write_cards(settings: JobSettings) -> None:
    """The cards of DATASETS."""
    for name, kinds in DATASETS.items():
        write_card(settings.datasets_root / name, kinds)


def write_card(folder: Path, kinds: tuple[LabelKind, ...]) -> None:
    """The card of a data set that has no images."""
    card = DatasetCard(
        name=folder.name,
        format="class_folder",
        digest="0" * 64,
        label_sets={kind: LabelSet(names=("joy", "fear")) for kind in kinds},
        counts=dict.fromkeys(Split, 1),
    )
    folder.mkdir(parents=True)
    (folder / CARD).write_text(card.model_dump_json())
