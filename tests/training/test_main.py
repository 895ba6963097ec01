"""`python -m training`: its exit status, and the one line that says what is wrong."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.generated import finetune_config
from training.__main__ import main
from training.run import RunFolder

Command = Callable[[Path, Path], int]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command on a run folder and the data sets' root."""

    def run(folder: Path, root: Path) -> int:
        monkeypatch.setattr(sys, "argv", ["training", str(folder), "--datasets", str(root)])
        return main()

    return run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path)
    made.prepare(finetune_config(epochs=1))
    return made


def events(run: RunFolder) -> list[str]:
    lines = (run.path / "events.jsonl").read_text().splitlines()
    return [json.loads(line)["event"] for line in lines]


def test_a_run_that_finished_exits_with_0_and_leaves_its_results(
    command: Command, run: RunFolder, few: Path
) -> None:
    assert command(run.path, few) == 0
    results = json.loads(run.results_file.read_text())
    assert results["best_epoch"] == 1
    assert [*events(run)[:1], *events(run)[-1:]] == ["started", "finished"]


def fails(capsys: pytest.CaptureFixture[str], status: int) -> str:
    """What a command that failed had to say."""
    assert status == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said
    return said


def test_a_folder_that_is_no_run_is_named(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(capsys, command(tmp_path / "nowhere", tmp_path))
    assert f"{tmp_path / 'nowhere'} is not a run folder" in said


def test_an_invalid_configuration_names_the_fault(
    command: Command, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run.path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "epoch": 3}))
    said = fails(capsys, command(run.path, run.path))
    assert str(file) in said
    assert "finetune.epoch\n  Extra inputs are not permitted" in said


def test_a_data_set_that_is_not_there_is_named(
    command: Command, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(capsys, command(run.path, run.path / "datasets"))
    assert str(run.path / "datasets" / "colours") in said


def test_a_second_process_in_one_run_folder_is_refused(
    command: Command, run: RunFolder, few: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run.locked():
        said = fails(capsys, command(run.path, few))
    assert f"another process is running in {run.path}" in said
    assert not (run.path / "events.jsonl").exists()
