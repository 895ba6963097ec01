"""Services of the compose file at work: their very command, environment, user, healthcheck."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.app.dataset_requests import FILES
from tests.containers import room
from tests.containers.compose import COMPOSE, OURS, Service, service
from tests.containers.room import Room
from tests.processes import until
from tests.training.data.layouts import write_folder

URL = "http://127.0.0.1:8000"
_HEALTHY_S = 60

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not room.is_possible(), reason="needs root, and namespaces of Linux"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A network with Redis on it."""
    folder = tmp_path_factory.mktemp("room")
    users = sorted({service(name).user for name in ("redis", *OURS)})
    with (
        room.opened(folder, names=tuple(COMPOSE["services"]), users=users) as opened,
        at_work(opened, service("redis")),
    ):
        yield opened


@contextmanager
def at_work(place: Room, started: Service) -> Iterator[subprocess.Popen[str]]:
    """A service that its own healthcheck finds well; it ends when it is asked to, in time."""
    with place.started(started) as process:
        try:
            until(lambda: _health(place, started, process), timeout_s=_HEALTHY_S)
            yield process
            process.terminate()
            assert process.wait(started.stop_s) == 0
        finally:
            process.kill()


def _health(place: Room, started: Service, process: subprocess.Popen[str]) -> bool | None:
    assert process.poll() is None, process.communicate()
    status, _ = place.said(started, *started.healthcheck)
    return True if status == 0 else None


def asked(place: Room, path: str, key: str, *options: str) -> Any:
    """What the API answers, over the room's network."""
    header = f"Authorization: Bearer {key}"
    command = ("curl", "-s", "-H", header, *options, f"{URL}{path}")
    return json.loads(place.said(service("api"), *command)[1])


@pytest.fixture(scope="module")
def key(place: Room) -> str:
    """An API key, made as the compose file says."""
    create = "sentiscope keys create laptop --scope predict --scope jobs --scope admin"
    status, said = place.said(service("api"), *create.split())
    assert status == 0, said
    return said.splitlines()[0]


@pytest.mark.parametrize("name", ["api", "worker", "redis"])
def test_root_is_read_only_and_the_user_has_no_rights(place: Room, name: str) -> None:
    each = service(name)
    script = "id -u; grep CapEff /proc/self/status; for at in . / /usr /opt; do touch $at/x; done"
    said = place.said(each, "bash", "-c", script)[1]
    assert said.startswith(f"{each.user}\nCapEff:\t{0:016x}\n")
    assert each.user > 0
    writable = {mount.target for mount in each.mounts if mount.is_writable}
    assert said.count("Read-only file system") == 4 - (each.folder in writable)


def test_api_without_a_key_does_not_start_and_says_how_to_make_one(place: Room) -> None:
    variables = {**service("api").environment, "SENTISCOPE_KEYS_FILE": "var/none.json"}
    status, said = place.said(replace(service("api"), environment=variables), "sentiscope", "serve")
    assert status == 1
    assert "sentiscope keys create" in said


def test_worker_imports_from_the_mounted_folder_what_the_api_was_asked_for(
    place: Room, key: str
) -> None:
    write_folder(place.folder / "import" / "pictures", FILES)
    request = {"name": "mine", "format": "class_folder", "root": "/data/pictures"}
    with at_work(place, service("api")), at_work(place, service("worker")):
        job = asked(place, "/v1/datasets", key, "--json", json.dumps(request))
        assert job["kind"] == "import", job

        def ended() -> Any:
            record = asked(place, f"/v1/jobs/{job['id']}", key)
            return record if record["finished_at"] else None

        assert until(ended, timeout_s=_HEALTHY_S)["status"] == "succeeded"
        assert asked(place, "/v1/datasets/mine", key)["counts"]["train"] == 4
        assert asked(place, "/health/ready", key)["warnings"] == []


def test_a_worker_without_a_gpu_is_the_same_worker() -> None:
    assert replace(service("worker-cpu"), name="worker") == service("worker")
