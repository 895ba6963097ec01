from collections.abc import Iterator
from pathlib import Path

import pytest

from models.registry import Registry
from tests.app.client import Client, publish_tiny, serving, tiny_settings
from tests.app.dataset_requests import FILES
from tests.app.job_service import JobService, serving_jobs
from tests.worker.packing import zipped
from tests.worker.redis_server import RedisServer, running_redis


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Where the client's models lie: `tiny`, version 1, in production."""
    return publish_tiny(tmp_path)


@pytest.fixture
def client(tmp_path: Path, registry: Registry) -> Iterator[Client]:
    """A service that answers with `tiny`."""
    assert registry.names() == ("tiny",)
    with serving(tiny_settings(tmp_path)) as opened:
        yield opened


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A real Redis of this test's own."""
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture(scope="module")
def running_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    """A service with jobs, and no worker but the tests of one module."""
    folder = tmp_path_factory.mktemp("service")
    with running_redis(folder / "redis") as redis, serving_jobs(folder, redis) as opened:
        yield opened


@pytest.fixture
def service(running_service: JobService) -> JobService:
    """That service as if it were new: no job, no file, its data sets in place."""
    running_service.clear()
    return running_service


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A zip of pictures in class folders."""
    return zipped(tmp_path / "pictures.zip", FILES)
