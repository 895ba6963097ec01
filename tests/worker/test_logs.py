"""A job's log: whole lines, bars that leave one line, and two files of bounded size."""

from pathlib import Path

import pytest

from worker.logs import LOG_FILE, OLD_LOG_FILE, JobLog
from worker.redaction import Redaction
from worker.settings import JobSettings

REDACTION = Redaction.of(JobSettings(jobs_root=Path("/srv/jobs")))


def kept(folder: Path, *printed: bytes, limit_bytes: int = 1 << 20) -> str:
    log = JobLog(folder, limit_bytes=limit_bytes, redaction=REDACTION)
    for part in printed:
        log.feed(part)
    log.close()
    return (folder / LOG_FILE).read_text()


def test_lines_stay_as_they_were_printed(tmp_path: Path) -> None:
    assert kept(tmp_path, b"one\n\n  two  \n") == "one\n\n  two\n"


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_line_may_come_in_parts(tmp_path: Path, size: int) -> None:
    printed = "früh\r\nspät\rzu spät\nend".encode()
    parts = [printed[at : at + size] for at in range(0, len(printed), size)]
    assert kept(tmp_path, *parts) == "früh\nzu spät\nend\n"


def test_of_a_bar_the_last_state_stays(tmp_path: Path) -> None:
    bar = b"".join(b"\rstep %d/3" % step for step in range(4))
    assert kept(tmp_path, bar, b"\n") == "step 3/3\n"


def test_a_message_that_takes_a_bars_place_is_kept_without_the_bar(tmp_path: Path) -> None:
    printed = b"\rstep 1/3\r        \rskipped: a.jpg\n\rstep 2/3\r        \r\n"
    assert kept(tmp_path, printed) == "skipped: a.jpg\n"


def test_what_is_no_text_is_kept_readable(tmp_path: Path) -> None:
    assert kept(tmp_path, b"\xff\xfe\n") == "��\n"


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    lines = kept(tmp_path, *[b"x" * 1000] * 100).splitlines()
    assert sum(map(len, lines)) == 100_000
    assert max(map(len, lines)) < 20_000


def test_a_full_log_becomes_the_old_one_and_no_more_than_two_are_kept(tmp_path: Path) -> None:
    lines = [b"%07d\n" % number for number in range(100)]
    newest = kept(tmp_path, *lines, limit_bytes=80)
    assert newest == "".join(f"{number:07}\n" for number in range(90, 100))
    old = (tmp_path / OLD_LOG_FILE).read_text()
    assert old == "".join(f"{number:07}\n" for number in range(80, 90))
    assert sorted(path.name for path in tmp_path.iterdir()) == [OLD_LOG_FILE, LOG_FILE]


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    kept(tmp_path, b"first\n" * 10, limit_bytes=100)
    assert kept(tmp_path, b"second\n" * 6, limit_bytes=100) == "second\n"
    assert (tmp_path / OLD_LOG_FILE).read_text() == "first\n" * 10 + "second\n" * 5


def test_the_last_lines_are_at_hand(tmp_path: Path) -> None:
    log = JobLog(tmp_path, limit_bytes=1000, redaction=REDACTION)
    log.say("attempt 1")
    log.feed(b"working\nerror: no")
    log.close()
    assert list(log.recent) == ["attempt 1", "working", "error: no"]


def test_folders_of_the_host_are_left_out(tmp_path: Path) -> None:
    printed = b"/srv/jobs/01/checkpoints/last\nerror: /srv/jobs/01 is full\n"
    assert kept(tmp_path, printed) == "01/checkpoints/last\nerror: 01 is full\n"
    log = JobLog(tmp_path, limit_bytes=1000, redaction=REDACTION)
    log.feed(b"/srv/jobs/01/x")
    log.close()
    assert list(log.recent) == ["01/x"]
