"""Nothing that the serving bench starts is left, and what cannot be installed is said."""

import sys
from pathlib import Path

import pytest

from bench.serving import environments
from bench.serving.contenders import OURS, PEERS, SERVERS, setup
from bench.serving.environments import NotInstallable, environment
from bench.serving.processes import running
from tests.processes import is_alive, until

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

DESERTER = """
import signal, subprocess, sys, time
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)"
subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
time.sleep(99)
"""


def test_a_child_that_left_its_group_and_ignores_signals_is_ended_too(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DESERTER]
    with running(command, {"OF": "ours"}, log=tmp_path / "log", folder=tmp_path) as found:
        until(lambda: len(found.pids()) == 2 or None, timeout_s=60)
        assert found.mib() > 0
        pids = found.pids()
    assert not [pid for pid in pids if is_alive(pid)]


def test_processes_are_ended_when_what_is_measured_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(99)"]
    pids: list[int] = []

    def measure() -> None:
        with running(command, {}, log=tmp_path / "log", folder=tmp_path) as found:
            pids.append(found.first.pid)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure()
    assert not is_alive(*pids)


def test_server_that_cannot_be_installed_is_reported_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path)
    for _ in range(2):
        with pytest.raises(NotInstallable, match="no-such-folder"):
            environment("nothing", [str(tmp_path / "no-such-folder")])


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_has_a_handler_and_says_how_it_is_set_up(name: str) -> None:
    assert setup(name, 2)
    if name != OURS:
        assert Path(f"bench/serving/peers/{name}_peer.py").is_file()
        assert any("==" in requirement for requirement in PEERS[name].requirements)
