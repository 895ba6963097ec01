"""A training process under a supervisor: it goes on only while that lives."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.processes import is_alive
from tests.training.generated import DEFAULTS, FORKS, ROOT, finetune_config, wait_until
from training.config.supervision import STOPPED
from training.run import RunFolder

STUCK = """
import signal, sys, time
from training.supervised import stop_with
signal.signal(signal.SIGTERM, signal.SIG_IGN)
stop_with(sys.stdin.fileno(), patience_s=0.5)
print("begun", flush=True)
time.sleep(100)
"""
MEMBER = """
import sys, time
from training.supervised import die_with_parent
die_with_parent()
print("begun", flush=True)
time.sleep(100)
"""
LAUNCHER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""
TALKATIVE = """
import sys
from training.supervised import print_into_the_void
print_into_the_void()
print("begun")
sys.stdin.read()
for number in range(1000):
    print(100 * "x", file=sys.stderr if number % 2 else sys.stdout)
raise SystemExit(7)
"""


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def close(process: subprocess.Popen[str]) -> None:
    """What the kernel does with the pipe of a supervisor that died."""
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None


def wait_until_gone(pids: Iterable[int]) -> None:
    """Come back when none of the processes lives, which must not take long."""
    deadline, waiting = time.monotonic() + 20, list(pids)
    while any(map(is_alive, waiting)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@FORKS
def test_a_process_whose_supervisor_died_makes_a_checkpoint_and_ends_with_its_loaders(
    tmp_path: Path, many: Path
) -> None:
    run = RunFolder(tmp_path)
    long_epoch = {"batch_size": 2, "checkpoint_every_s": 1e9}  # a checkpoint comes at its end
    compute = {**DEFAULTS["compute"], "loader_workers": 1}
    run.prepare(finetune_config(epochs=20, compute=compute, **long_epoch))
    log = run.path / "events.jsonl"
    arguments = ("-m", "training", str(run.path), "--datasets", str(many), "--supervised")
    with started(*arguments) as process:
        wait_until(lambda: log.exists() and "progress" in log.read_text(), process)
        assert niceness(process.pid) == min(19, niceness(os.getpid()) + 10)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert not run.last_checkpoint.exists()
        close(process)
        _, said = process.communicate(timeout=60)
    assert process.returncode == STOPPED, said
    assert run.last_checkpoint.exists()
    assert '"event": "stopped"' in log.read_text().splitlines()[-1]
    wait_until_gone(map(int, children))


def test_a_process_that_does_not_stop_in_time_is_ended() -> None:
    with started("-c", STUCK) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        close(process)
        process.communicate(timeout=20)
    assert process.returncode == STOPPED


def test_a_process_goes_on_when_nobody_reads_what_it_prints() -> None:
    with started("-c", TALKATIVE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.stdout.close()
        close(process)
        assert process.wait(20) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part of it is Linux's")
def test_a_process_that_was_started_by_another_dies_with_it() -> None:
    with started("-c", LAUNCHER, MEMBER) as launcher:
        assert launcher.stdout is not None
        member = int(launcher.stdout.readline())
        assert launcher.stdout.readline() == "begun\n"
        assert is_alive(member)
        launcher.send_signal(signal.SIGKILL)
    wait_until_gone([member])
