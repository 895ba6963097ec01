from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.worker.redis_server import RedisServer, running_redis
from worker.store import JobStore

if TYPE_CHECKING:
    from tests.worker.workplace import Workplace
    from training.run import RunFolder


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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Workplace]":
    """Where real trainings run under real supervisors; imported here, as it loads PyTorch."""
    from tests.worker.workplace import workplace

    with workplace(tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> "RunFolder":
    """What a LONG job becomes without a disturbance."""
    from tests.training.generated import finetune_config, train_on_one_thread
    from tests.worker.workplace import LONG, write_few

    root = tmp_path_factory.mktemp("calm")
    config = finetune_config(epochs=LONG["epochs"])
    return train_on_one_thread(root / "run", config, write_few(root / "datasets"))
