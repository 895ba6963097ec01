"""What a training process is given, and what becomes of it."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from worker.logs import LOG_FILE, JobLog
from worker.process import TrainingProcess, command, environment
from worker.redaction import Redaction
from worker.settings import JobSettings

REDACTION = Redaction.of(JobSettings())
BUSY = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
print("begun", flush=True)
time.sleep(100)
"""
STUBBORN = BUSY.replace("lambda *_: sys.exit(75)", "signal.SIG_IGN")


def test_one_process_is_started_plainly_and_several_by_torchrun(tmp_path: Path) -> None:
    roots = {"datasets_root": Path("sets"), "shipped_root": Path("shipped")}
    alone, together = (command(tmp_path, **roots, processes=number) for number in (1, 2))
    assert alone[1:4] == ["-m", "training", str(tmp_path)]
    assert alone[4:8:2] == ["--datasets", "--shipped"]
    assert alone[5:8:2] == [str(path.absolute()) for path in roots.values()]
    assert alone[8:] == ["--supervised"]
    assert together[1:5] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    assert together[5:] == alone[1:]


def test_the_services_own_variables_are_not_passed_on() -> None:
    found = environment(
        {"PATH": "/bin", "REDIS_URL": "r", "SENTISCOPE_WEBHOOK_SECRET": "s"}, token=7
    )
    assert found == {"PATH": "/bin", "SENTISCOPE_FENCE": "7", "PYTHONUNBUFFERED": "1"}


@contextmanager
def begun(folder: Path, script: str) -> Iterator[TrainingProcess]:
    log = JobLog(folder, limit_bytes=10_000, redaction=REDACTION)
    process = TrainingProcess([sys.executable, "-c", script], environment={}, log=log)
    try:
        deadline = time.monotonic() + 20
        while "begun" not in (folder / LOG_FILE).read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        process.close()
        log.close()


def test_a_process_that_is_asked_to_stop_says_how_it_did(tmp_path: Path) -> None:
    with begun(tmp_path, BUSY) as process:
        assert process.wait(0) is None
        process.ask_to_stop()
        assert process.wait(20) == 75


@pytest.mark.parametrize("end", [TrainingProcess.kill, TrainingProcess.close])
def test_a_process_that_will_not_stop_is_killed(
    tmp_path: Path, end: Callable[[TrainingProcess], None]
) -> None:
    with begun(tmp_path, STUBBORN) as process:
        process.ask_to_stop()
        assert process.wait(0.3) is None
        end(process)
        assert process.wait(20) == -signal.SIGKILL
