from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.redis_server import RedisServer, running_redis
from worker.store import JobStore


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A real Redis of this test's own."""
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[JobStore]:
    """An empty store in it."""
    opened = JobStore.open(redis_server.url, prefix="test")
    yield opened
    opened.client.close()
