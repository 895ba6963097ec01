"""Requests for data sets, and what they leave behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.job_service import JobService, serving_jobs
from tests.training.data.layouts import pictures
from tests.worker.redis_server import running_redis
from training.config.importing import ImportConfig

URL = "/v1/datasets"
FORM = "multipart/form-data; boundary=x"
FILES = pictures(
    f"{split}/{label}/{n}.jpg"
    for split in ("train", "val", "test")
    for label in ("glad", "sad")
    for n in range(2)
)
FIELDS = {"name": "mine", "format": "class_folder"}


def upload(
    service: JobService,
    *archives: Path,
    fields: dict[str, Any] = FIELDS,
    key: str | None = None,
) -> httpx.Response:
    """POST archives as a form."""
    files = [("archive", (path.name, path.read_bytes())) for path in archives]
    headers = {"Idempotency-Key": key} if key else {}
    return service.client.request("POST", URL, files=files, data=fields, headers=headers)


def from_root(service: JobService, root: object, **fields: object) -> httpx.Response:
    return service.client.request("POST", URL, json={**FIELDS, "root": root, **fields})


def uploads(service: JobService) -> list[str]:
    root = service.settings.uploads_root
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def import_config(service: JobService, job_id: str) -> ImportConfig:
    config = service.store.get(job_id).config
    assert isinstance(config, ImportConfig)
    return config


@contextmanager
def fresh_service(folder: Path) -> Iterator[JobService]:
    """A service of one test's own, its files in `folder`."""
    with running_redis(folder / "redis") as redis, serving_jobs(folder, redis) as opened:
        yield opened


@contextmanager
def steady_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    """One service for the tests of a module that leave nothing behind."""
    with fresh_service(tmp_path_factory.mktemp("steady")) as opened:
        yield opened
