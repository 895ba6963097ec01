from collections.abc import Iterator
from pathlib import Path

import pytest

from models.registry import Registry
from tests.app.client import Client, publish_tiny, serving, tiny_settings
from tests.app.job_service import JobService, serving_jobs
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


@pytest.fixture
def service(tmp_path: Path, redis_server: RedisServer) -> Iterator[JobService]:
    """A service with jobs, and no worker but the test."""
    with serving_jobs(tmp_path, redis_server) as opened:
        yield opened
