"""What is being done, and how far it is, as a run's events tell it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.generated import DEFAULTS, NAME, finetune_config
from training.config.publishing import EvaluateConfig
from training.launch import launch
from training.recipes.finetune import finetune
from training.run import RunFolder
from training.stages import Stages, unwatched
from training.stopping import StopRequest


def progress(run: RunFolder) -> list[dict[str, Any]]:
    lines = (run.path / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == "progress"]


def test_the_first_and_the_last_step_of_every_stage_are_told(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    stages = Stages(run, count=2)
    assert list(stages.watch("reading", range(3), steps=3)) == [0, 1, 2]
    assert list(stages.watch("writing", "ab", steps=2)) == ["a", "b"]
    told = [(e["stage"], e["step"], e["steps"], e["fraction"]) for e in progress(run)]
    assert told == [
        ("reading", 0, 3, 0.0),
        ("reading", 3, 3, 0.5),
        ("writing", 0, 2, 0.5),
        ("writing", 2, 2, 1.0),
    ]


def test_a_stage_without_steps_is_done_at_once(tmp_path: Path) -> None:
    assert list(Stages(RunFolder(tmp_path)).watch("reading", [], steps=0)) == []
    assert [event["fraction"] for event in progress(RunFolder(tmp_path))] == [0.0]


def test_what_nobody_watches_passes_through() -> None:
    assert list(unwatched("reading", "abc", steps=3)) == ["a", "b", "c"]


def test_a_training_tells_its_stage_and_its_place_in_the_whole(tmp_path: Path, few: Path) -> None:
    run = RunFolder(tmp_path)
    finetune(finetune_config(), run=run, datasets_root=few, stop=StopRequest())
    first = progress(run)[0]
    assert (first["stage"], first["epoch"], first["epochs"]) == ("training", 1, 2)
    assert (first["step"], first["steps"]) == (1, 3)
    assert first["fraction"] == pytest.approx(1 / 6, abs=1e-6)
    assert first["images_per_second"] > 0
    assert first["eta_seconds"] > 0


def test_an_evaluation_tells_how_far_it_is(tmp_path: Path, many: Path, trained: RunFolder) -> None:
    run = RunFolder(tmp_path)
    given = {"run": trained.path, "datasets": DEFAULTS["datasets"], "compute": DEFAULTS["compute"]}
    run.prepare(EvaluateConfig.model_validate(given))
    launch(run, datasets_root=many)
    told = progress(run)
    stages = list(dict.fromkeys(event["stage"] for event in told))
    assert stages == ["calibrating on validation data", f"scoring on {NAME}"]
    fractions = [event["fraction"] for event in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
