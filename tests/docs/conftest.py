from collections.abc import Iterator

import pytest

from tests.app.job_service import JobService, serving_jobs
from tests.docs import household
from tests.docs.household import Household
from tests.worker.redis_server import running_redis


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    """A service with all its routes."""
    folder = tmp_path_factory.mktemp("service")
    with running_redis(folder / "redis") as redis, serving_jobs(folder, redis) as opened:
        yield opened


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """Where the examples of the pages are typed."""
    with household.opened(tmp_path_factory.mktemp("household")) as opened:
        yield opened
