"""Milliseconds of the job API over 10,000 stored jobs: poll, list, submit, beside the health check.

A Redis and the API of their own, without a worker; one client, one kept connection. The requests
take turns, so that what disturbs the machine disturbs them all; the table gives quantiles, and the
ratio of medians to the health check's.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.worker.redis_server import running_redis
from worker.jobs import JOB_CONFIG, JobKind, JobRecord, JobSpec
from worker.status import JobStatus
from worker.store import JobStore

_ROOT = Path(__file__).parents[1]
_PREFIX = "bench"
_AT_ONCE = 200
_FINETUNE = {
    "recipe": "finetune",
    "backbone": {"name": "mobilenet_v2"},
    "datasets": [{"name": "photos", "kinds": ["single"]}],
}
_EXPORT = {"name": "bench", "alias": None}


def fill(store: JobStore, count: int) -> list[str]:
    """Ids of `count` fine-tunings that all succeeded."""
    spec = JobSpec(kind=JobKind.FINETUNE, config=JOB_CONFIG.validate_python(_FINETUNE))
    records = [JobRecord.of(spec, status=JobStatus.QUEUED) for _ in range(count)]
    for start in range(0, count, _AT_ONCE):
        store.create(records[start : start + _AT_ONCE])
    for record in records:
        lease = store.claim(record.id, worker="bench", lease_s=60, max_attempts=1)
        store.move(record.id, JobStatus.SUCCEEDED, lease=lease)
    return [record.id for record in records]


@contextmanager
def served(redis_url: str, folder: Path) -> Iterator[str]:
    """The address of an API over that Redis."""
    named = {
        "redis_url": redis_url,
        "redis_prefix": _PREFIX,
        "port": 0,
        "jobs_root": folder / "jobs",
        "datasets_root": folder / "datasets",
        "models_root": folder / "models",
        "keys_file": folder / "keys.json",
    }
    environment = dict(os.environ) | {
        f"SENTISCOPE_{name.upper()}": str(value) for name, value in named.items()
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app.main"],
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        greeting = process.stdout.readline()
        yield next(word.strip("/,.") for word in greeting.split() if word.startswith("http"))
    finally:
        process.terminate()
        process.wait(30)


class Client:
    """One kept connection; an answer other than `expected` is an error."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def get(self, path: str) -> None:
        """GET, answered with 200."""
        self._ask("GET", path, None, expected=200)

    def post(self, path: str, body: object) -> None:
        """POST of JSON, answered with 202."""
        self._ask("POST", path, json.dumps(body), expected=202)

    def _ask(self, verb: str, path: str, body: str | None, *, expected: int) -> None:
        headers = {"Content-Type": "application/json"} if body else {}
        self._connection.request(verb, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{verb} {path}: {answer.status} {content.decode()}")


def measured(client: Client, ids: list[str], rounds: int) -> dict[str, list[float]]:
    """Seconds of every request, by what it is."""
    draw = random.Random(0)
    posts = itertools.count()
    requests: dict[str, Callable[[], None]] = {
        "health": lambda: client.get("/health/live"),
        "poll": lambda: client.get(f"/v1/jobs/{draw.choice(ids)}"),
        "list of 50": lambda: client.get("/v1/jobs?limit=50"),
        "list of 50, narrowed": lambda: client.get(
            f"/v1/jobs?limit=50&status=succeeded&kind=finetune&cursor={draw.choice(ids)}"
        ),
        "submit": lambda: client.post(
            "/v1/jobs",
            {
                "kind": "export",
                "name": f"bench {next(posts)}",
                "config": {**_EXPORT, "run": draw.choice(ids)},
            },
        ),
    }
    taken: dict[str, list[float]] = {name: [] for name in requests}
    for _ in range(rounds):
        for name, ask in requests.items():
            started = time.perf_counter()
            ask()
            taken[name].append(time.perf_counter() - started)
    return taken


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="stored jobs")
    parser.add_argument("--rounds", type=int, default=1000, help="requests of each sort")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_redis(Path(name) / "redis") as server:
        store = JobStore.open(server.url, prefix=_PREFIX)
        started = time.perf_counter()
        ids = fill(store, arguments.jobs)
        print(f"{len(ids)} jobs stored in {time.perf_counter() - started:.1f} s")
        with served(server.url, Path(name)) as url:
            client = Client(url)
            measured(client, ids, arguments.rounds // 20 + 1)
            taken = measured(client, ids, arguments.rounds)
        store.close()
    health = quantile(taken["health"], 0.5)
    print(f"{'request':22}  {'p50 ms':>7}  {'p99 ms':>7}  ratio to health, p50")
    for request, seconds in taken.items():
        half, most = quantile(seconds, 0.5), quantile(seconds, 0.99)
        print(f"{request:22}  {half * 1000:7.2f}  {most * 1000:7.2f}  {half / health:5.2f}")


def quantile(values: list[float], part: float) -> float:
    """The smallest value that at least `part` of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


if __name__ == "__main__":
    main()
