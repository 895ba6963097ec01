"""A service of its own process, with jobs, that what is wrong is thrown at."""

from collections.abc import Iterator

import httpx
import pytest

from tests.app.client import publish_tiny
from tests.app.job_service import DATASETS, FINETUNE, write_card
from tests.app.server import served
from tests.fuzz.target import MAX_PIXELS, Target
from tests.worker.redis_server import running_redis


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A running service with a model, data sets and a job; it must be whole at the end."""
    folder = tmp_path_factory.mktemp("target")
    publish_tiny(folder)
    for name, kinds in DATASETS.items():
        write_card(folder / "datasets" / name, kinds)
    settings: dict[str, object] = {
        "keys_file": folder / "keys.json",
        "max_pixels": MAX_PIXELS,
        "workers": 2,
        **{f"{name}_root": folder / name for name in ("jobs", "datasets", "uploads")},
    }
    with (
        running_redis(folder / "redis") as redis,
        served(folder, redis_url=redis.url, **settings) as server,
    ):
        job = httpx.post(f"{server.url}/v1/jobs", json=FINETUNE).raise_for_status().json()
        yield Target(server, known={"name": "tiny", "version": "1", "job_id": job["id"]})
        assert server.stop()[0] == 0
        assert server.process.stderr
        assert "Traceback" not in server.process.stderr.read()
