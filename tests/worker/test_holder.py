"""A process that an earlier attempt left over is ended; no other one ever is."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import until
from worker.holder import end_left_over, holder, is_left_over

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="told apart by Linux's /proc")


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(["sleep", "100"], start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def note(folder: Path, pid: int, **changes: object) -> None:
    found = holder(pid)
    assert found
    found.write(folder)
    file = folder / ".process"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_process_left_over_is_ended(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    note(tmp_path, sleeper.pid)
    assert is_left_over(tmp_path)
    assert end_left_over(tmp_path)
    until(lambda: None if is_left_over(tmp_path) else True, timeout_s=10)
    assert sleeper.wait(10) == -9


@pytest.mark.parametrize("changes", [{"host": "other"}, {"started": "1"}])
def test_a_process_of_another_host_or_a_later_one_with_its_number_is_left_alone(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]", changes: dict[str, str]
) -> None:
    note(tmp_path, sleeper.pid, **changes)
    assert not end_left_over(tmp_path)
    assert sleeper.poll() is None


def test_a_process_that_ended_is_nobody(tmp_path: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    note(tmp_path, sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert holder(sleeper.pid) is None
    assert not end_left_over(tmp_path)


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"pid": 1}'])
def test_a_folder_without_a_note_has_nobody_left_over(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / ".process").write_text(content)
    assert not end_left_over(tmp_path)
