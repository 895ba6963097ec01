"""`sentiscope train`, `evaluate` and `export` from YAML files."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from tests.sentiscope.command_line import finetune_yaml, refusal, sentiscope, write_yaml
from tests.sentiscope.conftest import Workshop
from tests.training.generated import DEFAULTS
from training.network import SentimentNetwork
from training.run import RunFolder


def test_train_prints_its_results_as_json(workshop: Workshop) -> None:
    said = workshop.said["train"]
    assert said.exit_code == 0
    assert json.loads(said.stdout) == json.loads((workshop.run / "results.json").read_text())
    assert json.loads(said.stdout)["best_epoch"] == 1


def test_run_folder_can_be_made_beforehand(tmp_path: Path) -> None:
    config, run = finetune_yaml(tmp_path / "my.yaml"), tmp_path / "run"
    result = sentiscope("train", config, "--run", run, "--prepare")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"run folder: {run}\n")
    assert RunFolder(run).config().recipe == "finetune"
    assert not RunFolder(run).results_file.exists()


def test_train_tells_its_run_folder_and_epochs_on_stderr(workshop: Workshop) -> None:
    told = workshop.said["train"].stderr
    assert told.startswith(f"run folder: {workshop.run}\n")
    assert "epoch 1: single.top1 " in told


def test_export_prints_each_gate_and_what_was_published(workshop: Workshop) -> None:
    said = workshop.said["export"]
    assert said.exit_code == 0
    parity, maps, published = said.stdout.splitlines()
    assert parity.startswith("fp32_parity: passed {'single.batch_1': ")
    assert maps.startswith("maps_are_exact: passed {")
    assert re.fullmatch(r"published colours@1 \(sha256:[0-9a-f]{64}\)", published)


def test_evaluate_prints_each_metric_with_its_protocol(workshop: Workshop) -> None:
    said = workshop.said["evaluate"]
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert lines[1] == "single (fp32), 8 images"
    assert lines[2].startswith("  colours, test split of the data set with digest ")
    assert re.fullmatch(r"  top1 +[01]\.\d{4}", lines[3])


def test_finished_run_gives_the_same_results_again(workshop: Workshop) -> None:
    config = workshop.root / "train.yaml"
    again = sentiscope("train", config, "--run", workshop.run, "--datasets", workshop.datasets)
    assert (again.exit_code, again.stdout) == (0, workshop.said["train"].stdout)


def test_sigterm_stops_with_75_and_the_same_command_goes_on(
    workshop: Workshop, tmp_path: Path
) -> None:
    def interrupt(module: torch.nn.Module, inputs: Any) -> None:
        if isinstance(module, SentimentNetwork):
            signal.raise_signal(signal.SIGTERM)

    config, run = finetune_yaml(tmp_path / "train.yaml"), tmp_path / "run"
    command = ("train", config, "--run", run, "--datasets", workshop.datasets)
    hook = register_module_forward_pre_hook(interrupt)
    try:
        stopped = sentiscope(*command)
    finally:
        hook.remove()
    assert (stopped.exit_code, stopped.stdout) == (75, "")
    assert (run / "checkpoints" / "last.safetensors").exists()
    resumed = sentiscope(*command)
    assert (resumed.exit_code, resumed.stdout) == (0, workshop.said["train"].stdout)


def test_run_folder_with_another_configuration_is_refused(workshop: Workshop) -> None:
    before = (workshop.run / "config.json").read_text()
    config = finetune_yaml(workshop.root / "other.yaml", seed=2)
    reason = refusal("train", config, "--run", workshop.run, "--datasets", workshop.datasets)
    assert "already holds a run with another configuration" in reason
    assert (workshop.run / "config.json").read_text() == before


def test_run_folder_is_named_after_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refusal("train", finetune_yaml(tmp_path / "sunny.yaml"))
    assert (tmp_path / "var" / "runs" / "sunny" / "config.json").exists()


def test_every_wrong_field_is_named(tmp_path: Path) -> None:
    config = finetune_yaml(
        tmp_path / "wrong.yaml",
        epochs=0,
        batch_size="many",
        colour="red",
        image={"size": 32, "train_crop": 64},
        backbone={"name": "resnet19"},
        datasets=[],
    )
    first, *faults = refusal("train", config).splitlines()
    assert first == f"{config} is not a valid configuration:"
    named = {fault.strip().partition(": ")[0] for fault in faults}
    fields = ("epochs", "batch_size", "colour", "image", "backbone.name", "datasets")
    assert named == {f"finetune.{field}" for field in fields}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("recipe: [finetune", "is not YAML"),
        ("\tseed: 1", "is not YAML"),
        ("", "is not a valid configuration: expected `recipe: ...`"),
        ("just words", "is not a valid configuration: expected `recipe: ...`"),
        ("seed: 1", "is not a valid configuration:\n  (top): Unable to extract tag"),
        ("recipe: cook", "Input tag 'cook' found using 'recipe' does not match"),
    ],
)
def test_file_that_is_no_recipe_is_refused_with_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text(text, encoding="utf-8")
    said = refusal("train", config)
    assert said.startswith(str(config))
    assert reason in said


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "photo.yaml"
    config.write_bytes(b"\xff\xd8\xff\xe0")
    assert refusal("train", config).startswith(f"{config} is not YAML: ")


def test_folder_is_no_recipe(tmp_path: Path) -> None:
    assert "Is a directory" in refusal("train", tmp_path)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = sentiscope("train", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert "none.yaml" in re.sub(r"[│\s]*\n[│\s]*", "", result.stderr)


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_recipe_of_another_command_is_refused_before_it_runs(command: str, tmp_path: Path) -> None:
    config = finetune_yaml(tmp_path / "train.yaml")
    reason = refusal(command, config, "--run", tmp_path / "run")
    assert reason == f"{config} is of the recipe 'finetune', expected {command!r}"
    assert not (tmp_path / "run").exists()


def test_data_set_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    config = finetune_yaml(tmp_path / "train.yaml")
    reason = refusal("train", config, "--run", tmp_path / "run", "--datasets", tmp_path)
    assert reason.startswith(f"{tmp_path / 'colours'} has no dataset.json")
    assert "\n" not in reason


def test_bundle_that_is_not_there_is_one_line(workshop: Workshop, tmp_path: Path) -> None:
    config = write_yaml(
        tmp_path / "evaluate.yaml",
        {
            "recipe": "evaluate",
            "bundle": tmp_path / "tiny" / "1",
            "datasets": DEFAULTS["datasets"],
        },
    )
    reason = refusal("evaluate", config, "--run", tmp_path, "--datasets", workshop.datasets)
    assert reason.startswith("bundle tiny/1 is refused: manifest.json cannot be read")
    assert "\n" not in reason


def test_export_of_an_untrained_run_is_one_line(workshop: Workshop, tmp_path: Path) -> None:
    content = {
        "recipe": "export",
        "run": workshop.root / "scoring",
        "registry": tmp_path / "models",
    }
    config = write_yaml(tmp_path / "export.yaml", content)
    reason = refusal("export", config, "--run", tmp_path, "--datasets", workshop.datasets)
    assert reason.endswith("is a run of evaluate, expected one of finetune or amalgamate")
    assert "\n" not in reason
