"""A run that was handed to another process writes nothing more."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.training.generated import asked_to_stop, finetune_config
from training.__main__ import main
from training.config.supervision import FENCE_FILE, FENCE_VARIABLE, FENCED, LOCK_FILE
from training.fence import OPEN, Fence, Fenced
from training.recipes.finetune import finetune
from training.run import RunFolder
from training.stopping import StopRequest


class HandedOver(StopRequest):
    """Asks for no stop: gives the run to another process, and keeps what was written by then."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.written: Mapping[Path, bytes] = {}
        self._folder = folder

    def request(self) -> None:
        (self._folder / FENCE_FILE).write_text("8\n")
        self.written = written(self._folder)


def fenced(folder: Path, *, token: str = "7", found: str = "7") -> RunFolder:
    run = RunFolder(folder, fence=Fence.of(folder, {FENCE_VARIABLE: token}))
    run.prepare(finetune_config(epochs=1, checkpoint_every_s=1e-3))
    (folder / FENCE_FILE).write_text(f"{found}\n")
    return run


def written(folder: Path) -> Mapping[Path, bytes]:
    """All files of a run but TensorBoard's, which each process has for itself."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != LOCK_FILE)
    return {path: path.read_bytes() for path in files if path.parent.name != "tensorboard"}


def test_without_a_token_nothing_is_fenced(tmp_path: Path) -> None:
    assert Fence.of(tmp_path, {"HOME": "/"}) == OPEN
    OPEN.check()


def test_who_has_the_token_may_write(tmp_path: Path) -> None:
    fenced(tmp_path).fence.check()


def test_another_token_fences_off_and_both_are_named(tmp_path: Path) -> None:
    with pytest.raises(Fenced, match=r"holds token '8', expected '7'"):
        fenced(tmp_path, found="8").fence.check()


def test_a_fence_that_cannot_be_read_fences_off(tmp_path: Path) -> None:
    with pytest.raises(Fenced, match="cannot be read"):
        Fence.of(tmp_path, {FENCE_VARIABLE: "7"}).check()


def test_no_record_of_a_fenced_run_is_written(tmp_path: Path) -> None:
    run = fenced(tmp_path, found="8")
    before = written(tmp_path)
    with pytest.raises(Fenced):
        run.event("progress")
    with pytest.raises(Fenced):
        run.metrics(epoch=1, step=0, part="val", metrics={})
    with pytest.raises(Fenced):
        run.write(run.results_file, "{}")
    assert written(tmp_path) == before


@pytest.mark.parametrize("training", [True, False], ids=["in training", "in validation"])
def test_a_training_that_is_handed_over_half_way_writes_nothing_more(
    tmp_path: Path, few: Path, training: bool
) -> None:
    run, config = fenced(tmp_path), finetune_config(epochs=1, checkpoint_every_s=1e-3)
    handed_over = HandedOver(tmp_path)
    with (
        asked_to_stop(at_pass=2, training=training, stop=handed_over),
        pytest.raises(Fenced),
    ):
        finetune(config, run=run, datasets_root=few, stop=StopRequest())
    assert handed_over.written
    assert written(tmp_path) == handed_over.written


def test_the_command_ends_with_a_status_of_its_own(
    tmp_path: Path, few: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fenced(tmp_path, found="8")
    before = written(tmp_path)
    monkeypatch.setenv(FENCE_VARIABLE, "7")
    monkeypatch.setattr(sys, "argv", ["training", str(tmp_path), "--datasets", str(few)])
    assert main() == FENCED
    assert "the run was handed to another process" in capsys.readouterr().err
    assert written(tmp_path) == before
