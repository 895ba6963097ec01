"""Processes as a container would hold them: a read-only root, another user, a network.

Namespaces of Linux alone, so it needs no Docker, but root.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.containers.compose import Mount, Service
from tests.containers.dockerfile import ROOT
from tests.processes import until

HOST = "room"
_SYSTEM = ("/usr", "/etc", "/proc", "/dev", sys.base_prefix, sys.prefix, str(ROOT))
_LINKS = ("/bin", "/lib", "/lib64", "/sbin")
_NETWORK = f"hostname {HOST}; ip link set lo up; exec sleep infinity"
_UP_S = 20


def is_possible() -> bool:
    """Whether this machine lets us."""
    probe = ["unshare", "--mount", "--net", "--uts", "true"]
    return os.geteuid() == 0 and subprocess.run(probe, capture_output=True).returncode == 0


@dataclass(frozen=True, slots=True)
class Room:
    """Volumes in `folder`, and a network whose names are those of the compose file."""

    folder: Path
    network: int

    def started(self, service: Service, *command: str) -> subprocess.Popen[str]:
        """A command in a container of the service, its own unless another is given."""
        return subprocess.Popen(
            self._entered(service, command or service.command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def said(self, service: Service, *command: str) -> tuple[int, str]:
        """Status and output of a command that ends."""
        with self.started(service, *command) as process:
            output, _ = process.communicate(timeout=60)
            return process.returncode, output

    def volume(self, mount: Mount, *, owner: int) -> Path:
        """The host's folder behind a mount, made as Docker would: the image's user owns it."""
        folder = self.folder / mount.source
        if not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, owner, owner)
        return folder

    def _entered(self, service: Service, command: Sequence[str]) -> list[str]:
        script = "\n".join(self._script(service, command))
        inside = ("unshare", "--mount", "--", "bash", "-euc", script)
        joined = (f"--net=/proc/{self.network}/ns/net", f"--uts=/proc/{self.network}/ns/uts")
        return ["nsenter", *joined, "--", *inside]

    def _script(self, service: Service, command: Sequence[str]) -> Iterator[str]:
        """Build a root out of the host's files, seal it, and become the service's user in it."""
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        yield f"mount -t tmpfs -o mode=755 room {root}; mkdir -p {root}/tmp {root}/opt"
        yield f"mount -t tmpfs -o mode=1777 room {root}/tmp"
        for path in _SYSTEM:
            yield f"mkdir -p {root}{path}; mount --rbind {path} {root}{path}"
            yield f"mount -o remount,bind,ro {root}{path}"
        for link in filter(os.path.islink, _LINKS):
            yield f"ln -s {os.readlink(link)} {root}{link}"
        yield f"ln -s {sys.prefix} {root}/opt/sentiscope"
        for mount in service.mounts:
            source = self.volume(mount, owner=service.user)
            yield f"mkdir -p {root}{mount.target}; mount --bind {source} {root}{mount.target}"
            if not mount.is_writable:
                yield f"mount -o remount,bind,ro {root}{mount.target}"
        for name in ("hosts", "passwd", "group"):
            yield f"mount --bind {self.folder}/{name} {root}/etc/{name}"
        yield f"mount -o remount,bind,ro {root}"
        yield f"exec chroot {root} {shlex.join(self._as_user(service, command))}"

    def _as_user(self, service: Service, command: Sequence[str]) -> list[str]:
        user = f"--reuid={service.user} --regid={service.user} --clear-groups --no-new-privs"
        rights = "--inh-caps=-all --bounding-set=-all"
        path = f"/opt/sentiscope/bin:{os.defpath}"
        ours = {"PATH": path, "HOSTNAME": HOST, "PYTHONPATH": str(ROOT)}
        variables = {**service.environment, **ours}
        given = [f"{name}={value}" for name, value in variables.items()]
        there = ["env", "--ignore-environment", f"--chdir={service.folder}", *given]
        return ["setpriv", *user.split(), *rights.split(), *there, *command]


@contextmanager
def opened(folder: Path, *, names: Sequence[str], users: Sequence[int]) -> Iterator[Room]:
    """A room; what still runs on its network in the end is the caller's to stop."""
    (folder / "hosts").write_text(f"127.0.0.1 localhost {HOST} {' '.join(names)}\n")
    (folder / "passwd").write_text("".join(f"u{n}:x:{n}:{n}::/home/u{n}:\n" for n in users))
    (folder / "group").write_text("".join(f"u{n}:x:{n}:\n" for n in users))
    with subprocess.Popen(["unshare", "--net", "--uts", "bash", "-euc", _NETWORK]) as network:
        try:
            told = Path(f"/proc/{network.pid}/comm")
            until(lambda: told.read_text() == "sleep\n" or None, timeout_s=_UP_S)
            yield Room(folder, network.pid)
        finally:
            network.kill()
