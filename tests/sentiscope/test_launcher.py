"""`sentiscope run`: what it starts, keeps running and ends. Kills in mid-work: tests/faults."""

import signal
import socket
from pathlib import Path

import httpx
import pytest

from sentiscope.launcher import DEMO
from tests.processes import Process, is_alive, until, working_in
from tests.sentiscope.launched import Launched, launched, start

pytestmark = pytest.mark.timeout(600)
_GONE_S = 15.0
_PATIENCE_S = 120.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the demo data sets need not be painted."""
    for name in DEMO:
        (tmp_path / "var" / "datasets" / name).mkdir(parents=True)
    return tmp_path


def nothing_left(folder: Path) -> bool | None:
    return None if working_in(folder) else True


def refusal(folder: Path, *, port: int = 0, **variables: object) -> str:
    """Why a launcher ends with status 1 before it has started anything that stays."""
    assert start(folder, port=port, **variables).wait(_PATIENCE_S) == 1
    assert not working_in(folder)
    said = (folder / "err.txt").read_text()
    assert said.startswith("error: ")
    return said.removeprefix("error: ").removesuffix("\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_everything_ends_when_it_is_told_to(folder: Path, number: signal.Signals) -> None:
    with launched(folder) as running:
        assert httpx.get(f"{running.url}/health/live").status_code == 200
        parts = [running.redis, running.api, running.worker]
        status, took_s = running.stop(number)
        assert status == 0
        assert took_s < _GONE_S
        assert not [part for part in parts if is_alive(part.pid)]
        assert nothing_left(folder)


def test_jobs_are_served_and_kept_in_the_folder(folder: Path) -> None:
    with launched(folder) as running:
        assert httpx.get(f"{running.url}/v1/jobs").json() == {"items": [], "next_cursor": None}
        assert (folder / "var" / "redis" / "redis.sock").is_socket()


def test_demo_data_sets_are_painted_before_it_says_that_it_is_ready(tmp_path: Path) -> None:
    cards = [tmp_path / "var" / "datasets" / name / "dataset.json" for name in DEMO]
    with launched(tmp_path):
        assert all(card.exists() for card in cards)


def test_second_launcher_in_a_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    with launched(folder) as running:
        second = start(folder, port=0)
        assert second.wait(_PATIENCE_S) == 1
        assert f"is running in {tmp_path / 'var'} already" in (folder / "err.txt").read_text()
        assert httpx.get(f"{running.url}/health/live").status_code == 200


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


def test_nothing_stays_when_the_launcher_is_killed_and_the_next_one_works(folder: Path) -> None:
    with launched(folder) as running:
        assert len(parts(running)) == 3
        running.process.kill()
        until(lambda: nothing_left(folder), timeout_s=_GONE_S)
    with launched(folder) as running:
        assert httpx.get(f"{running.url}/health/live").status_code == 200


def test_redis_of_a_killed_launcher_makes_way_for_the_next(folder: Path) -> None:
    with launched(folder) as running:
        first = running.redis
        running.process.kill()
        running.process.wait()
        with launched(folder) as second:
            assert second.redis.pid != first.pid
            assert not is_alive(first.pid)


@pytest.mark.parametrize("part", ["redis", "api", "worker"])
def test_part_that_is_killed_is_started_again(folder: Path, part: str) -> None:
    with launched(folder) as running:
        first: Process = getattr(running, part)
        first.kill()
        until(lambda: None if is_alive(first.pid) else True, timeout_s=_PATIENCE_S)
        assert getattr(running, part).pid != first.pid
        assert httpx.get(f"{running.url}/health/live", timeout=30).status_code == 200
        assert "ended (signal 9) and is started again in 1 s" in (folder / "err.txt").read_text()


def parts(running: Launched) -> set[int]:
    return {running.redis.pid, running.api.pid, running.worker.pid}
