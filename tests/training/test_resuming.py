"""A run that was stopped or killed, and went on, equals one that nobody disturbed, bit for bit."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.generated import (
    DEFAULTS,
    FORKS,
    asked_to_stop,
    assert_same_run,
    finetune_config,
    started,
    train,
    wait_until,
)
from training.__main__ import main
from training.config.supervision import STOPPED
from training.launch import launch
from training.run import RunFolder

pytestmark = pytest.mark.timeout(300)
OTHER_SETTINGS: dict[str, tuple[int, dict[str, Any]]] = {
    "channels-last convolutions, momentum, steps": (
        5,
        {
            "backbone": {"name": "resnet18"},
            "optimizer": {"name": "sgd", "learning_rate": 1e-2},
            "schedule": {"name": "step", "every_epochs": 1},
        },
    ),
    "a frozen backbone": (
        5,
        {
            "backbone": {"name": "mobilenet_v2", "weights": {"source": "default_model"}},
            "freeze_backbone": True,
        },
    ),
    "bfloat16": (
        2,
        {"epochs": 1, "compute": {**DEFAULTS["compute"], "precision": "bfloat16"}},
    ),
}
"""By name: the pass in training that a stop comes in, and what is set."""

LONGER: dict[str, Any] = {
    "epochs": 4,
    "checkpoint_every_s": 1e-3,
    "compute": {**DEFAULTS["compute"], "loader_workers": 1},
}
"""Long enough for a signal to arrive in the middle, with a checkpoint after every step."""


def interrupted(run: Path, root: Path, *, at_pass: int, training: bool, **changes: Any) -> None:
    """Train to where a stop takes effect, which it must."""
    with asked_to_stop(at_pass=at_pass, training=training) as stop:
        stopped = train(run, finetune_config(**changes), root, stop=stop)
    assert stop.requested
    assert stopped.last_checkpoint.exists()


def test_a_run_stopped_in_validation_goes_on_as_if_it_had_not_been(
    tmp_path: Path, few: Path, uninterrupted: RunFolder
) -> None:
    interrupted(tmp_path, few, at_pass=1, training=False)
    assert_same_run(train(tmp_path, finetune_config(), few), uninterrupted)


def test_a_run_stopped_after_every_step_goes_on_as_if_it_had_not_been(
    tmp_path: Path, few: Path, uninterrupted: RunFolder
) -> None:
    for _ in range(6):
        interrupted(tmp_path, few, at_pass=1, training=True)
    assert_same_run(train(tmp_path, finetune_config(), few), uninterrupted)


@pytest.mark.parametrize(("at_pass", "changes"), OTHER_SETTINGS.values(), ids=OTHER_SETTINGS.keys())
def test_a_run_with_other_settings_goes_on_as_if_it_had_not_been_stopped(
    tmp_path: Path, few: Path, at_pass: int, changes: dict[str, Any]
) -> None:
    undisturbed = train(tmp_path / "undisturbed", finetune_config(**changes), few)
    interrupted(tmp_path / "stopped", few, at_pass=at_pass, training=True, **changes)
    assert_same_run(train(tmp_path / "stopped", finetune_config(**changes), few), undisturbed)


@FORKS
def test_a_loaders_worker_changes_nothing(
    tmp_path: Path, few: Path, uninterrupted: RunFolder
) -> None:
    compute = LONGER["compute"]
    interrupted(tmp_path, few, at_pass=2, training=True, compute=compute)
    assert_same_run(train(tmp_path, finetune_config(compute=compute), few), uninterrupted)


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory, few: Path) -> RunFolder:
    """What the runs below become when nobody disturbs them."""
    return train(tmp_path_factory.mktemp("longer"), finetune_config(epochs=LONGER["epochs"]), few)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.prepare(finetune_config(**LONGER))
    return made


@FORKS
def test_a_process_stopped_by_sigterm_exits_with_75_and_goes_on_as_if_it_had_not_been(
    run: RunFolder, few: Path, longer: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(run, few) as process:
        wait_until(run.last_checkpoint.exists, process)
        os.killpg(process.pid, signal.SIGTERM)  # the loader's worker gets it too
        _, said = process.communicate()
    assert process.returncode == STOPPED, said
    assert said.endswith("to go on\n")
    assert not run.results_file.exists()
    monkeypatch.setattr(sys, "argv", ["training", str(run.path), "--datasets", str(few)])
    assert main() == 0
    assert_same_run(run, longer)


@FORKS
def test_a_process_killed_at_once_goes_on_from_its_last_checkpoint(
    run: RunFolder, few: Path, longer: RunFolder
) -> None:
    with started(run, few) as process:
        wait_until(run.last_checkpoint.exists, process)
        process.kill()  # and not its worker, which may live on for seconds
        process.wait()
        assert not run.results_file.exists()
        launch(run, datasets_root=few)
    assert_same_run(run, longer)
