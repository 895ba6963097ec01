"""`sentiscope run`: what it starts, keeps running and ends. Kills in mid-work: tests/faults."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sentiscope.launcher import DEMO
from tests.processes import Process, is_alive, until, working_in
from tests.sentiscope.launched import Launched, launched, start, start_telling

pytestmark = pytest.mark.timeout(600)
_GONE_S = 15.0
_PATIENCE_S = 120.0


PARTS = {"redis": "Redis", "api": "the API", "worker": "the worker"}
"""What a launcher keeps running, and what it calls that."""


def painted(folder: Path) -> Path:
    """Where the demo data sets need not be painted."""
    for name in DEMO:
        (folder / "var" / "datasets" / name).mkdir(parents=True)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return painted(tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    """One for all tests that leave it at work."""
    with launched(painted(tmp_path_factory.mktemp("launcher"))) as made:
        yield made


def refusal(folder: Path, *, port: int = 0, **variables: object) -> str:
    """Why a launcher ends with status 1 before it has started anything that stays."""
    assert start(folder, port=port, **variables).wait(_PATIENCE_S) == 1
    assert not working_in(folder)
    said = (folder / "err.txt").read_text()
    assert said.startswith("error: ")
    return said.removeprefix("error: ").removesuffix("\n")


def assert_ends(running: Launched, number: signal.Signals) -> None:
    """All of it, when it is told to."""
    assert httpx.get(f"{running.url}/health/live").status_code == 200
    parts: list[Process] = [getattr(running, part) for part in PARTS]
    status, took_s = running.stop(number)
    assert status == 0
    assert took_s < _GONE_S
    assert not [part for part in parts if is_alive(part.pid)]
    until(lambda: None if working_in(running.folder) else True, timeout_s=_PATIENCE_S)


def test_jobs_are_served_and_kept_in_the_folder(running: Launched) -> None:
    assert httpx.get(f"{running.url}/v1/jobs").json() == {"items": [], "next_cursor": None}
    assert (running.folder / "var" / "redis" / "redis.sock").is_socket()


def test_second_launcher_in_a_folder_is_refused(running: Launched, tmp_path: Path) -> None:
    second = start_telling(running.folder, tmp_path, port=0)
    assert second.wait(_PATIENCE_S) == 1
    said = (tmp_path / "err.txt").read_text()
    assert f"is running in {running.folder / 'var'} already" in said
    assert httpx.get(f"{running.url}/health/live").status_code == 200


@pytest.mark.parametrize("part", PARTS)
def test_part_that_is_killed_is_started_again(running: Launched, part: str) -> None:
    def are_served() -> bool | None:
        return httpx.get(f"{running.url}/v1/jobs", timeout=30).status_code == 200 or None

    first: Process = getattr(running, part)
    first.kill()
    until(lambda: None if is_alive(first.pid) else True, timeout_s=_PATIENCE_S)
    assert getattr(running, part).pid != first.pid
    assert httpx.get(f"{running.url}/health/live", timeout=30).status_code == 200
    until(are_served, timeout_s=_PATIENCE_S)
    said = (running.folder / "err.txt").read_text()
    assert f"{PARTS[part]} ended (signal 9) and is started again in 1 s" in said


def test_demo_data_sets_are_painted_before_it_is_ready_and_ctrl_c_ends_it_all(
    tmp_path: Path,
) -> None:
    cards = [tmp_path / "var" / "datasets" / name / "dataset.json" for name in DEMO]
    with launched(tmp_path) as fresh:
        assert all(card.exists() for card in cards)
        assert_ends(fresh, signal.SIGINT)


def test_redis_of_a_killed_launcher_makes_way_for_the_next_which_sigterm_ends(
    folder: Path,
) -> None:
    with launched(folder) as killed:
        first = killed.redis
        killed.process.kill()
        killed.process.wait()
        with launched(folder) as second:
            assert second.redis.pid != first.pid
            assert not is_alive(first.pid)
            assert_ends(second, signal.SIGTERM)


def test_busy_port_is_named_and_nothing_is_left(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refusal(folder, port=port) == (
            f"port {port} is in use; choose another with PORT={port + 1}"
        )


def test_damaged_file_of_jobs_is_refused_with_what_redis_says(folder: Path) -> None:
    (folder / "var" / "redis").mkdir()
    (folder / "var" / "redis" / "appendonly.aof").write_bytes(b"no commands, and not cut short\n")
    assert "Bad file format" in refusal(folder)
