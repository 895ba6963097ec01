"""Events are read once each, in order, whole, wherever the reading was broken off."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.account import Account
from worker.jobs import Failure, Progress
from worker.tail import events_from


def line(number: int) -> bytes:
    return json.dumps({"event": "epoch", "epoch": number}).encode() + b"\n"


def read_all(file: Path, *, chunk_bytes: int = 1 << 18) -> list[object]:
    found, offset = [], 0
    while batch := events_from(file, offset, chunk_bytes=chunk_bytes):
        assert batch.offset > offset
        found += [event["epoch"] for event in batch.events]
        offset = batch.offset
    return found


def test_a_run_that_told_nothing_has_no_events(tmp_path: Path) -> None:
    assert events_from(tmp_path / "events.jsonl", 0) is None


@given(st.integers(min_value=1, max_value=200))
def test_every_event_is_read_once_whatever_is_read_at_a_time(
    tmp_path_factory: pytest.TempPathFactory, chunk_bytes: int
) -> None:
    file = tmp_path_factory.mktemp("tail") / "events.jsonl"
    file.write_bytes(b"".join(map(line, range(20))))
    assert read_all(file, chunk_bytes=chunk_bytes) == list(range(20))


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(line(1) + line(2)[:-3])
    first = events_from(file, 0)
    assert first is not None
    assert [event["epoch"] for event in first.events] == [1]
    assert events_from(file, first.offset) is None
    file.write_bytes(line(1) + line(2))
    second = events_from(file, first.offset)
    assert second is not None
    assert [event["epoch"] for event in second.events] == [2]


@pytest.mark.parametrize("broken", [b'{"event": "epo\n', b"[1]\n", b"\xff\n", b"\n"])
def test_a_line_that_a_kill_cut_short_is_passed_over(tmp_path: Path, broken: bytes) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(line(1) + broken + line(2))
    assert read_all(file) == [1, 2]


PROGRESS = {"event": "progress", "stage": "training", "epoch": 1, "epochs": 2, "fraction": 0.25}
FAILED = {"event": "failed", "type": "Diverged", "message": "too fast"}


def test_progress_and_figures_are_the_last_ones_told() -> None:
    epoch = {"event": "epoch", "train": {"single": 0.5}, "val": {"single.top1": 0.75}, "score": 1}
    account = Account().after([PROGRESS, epoch, {**PROGRESS, "fraction": 0.5, "at": "..."}])
    assert account.progress == Progress(stage="training", epoch=1, epochs=2, fraction=0.5)
    assert account.metrics == {"train.single": 0.5, "val.single.top1": 0.75}


def test_the_progress_of_a_finished_run_is_whole() -> None:
    account = Account().after([PROGRESS, {"event": "finished"}])
    assert account.progress is not None
    assert (account.progress.fraction, account.progress.epoch) == (1, 2)


def test_how_an_earlier_attempt_ended_is_past() -> None:
    failed = Account().after([FAILED])
    assert failed.failure == Failure(type="Diverged", message="too fast")
    assert failed.after([{"event": "started"}]).failure is None
    stopped = Account().after([{"event": "stopped"}])
    assert stopped.stopped
    assert not stopped.after([{"event": "started"}]).stopped


def test_an_event_that_nobody_knows_changes_nothing() -> None:
    assert Account().after([{"event": "resumed", "epoch": 3}, {}]) == Account()
