"""The command line as a whole: its help, and what it loads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sentiscope.command_line import finetune_yaml, sentiscope
from tests.training.generated import ROOT

COMMANDS = ("serve", "predict", "train", "evaluate", "export", "models", "datasets")
TRAIN_EXTRA = ("torch", "torchvision", "onnx", "onnxscript", "yaml", "safetensors", "sklearn")


def in_python(code: str, *arguments: object) -> Any:
    """What `code` prints as JSON in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *(str(each) for each in arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_help_lists_every_command() -> None:
    result = sentiscope("--help")
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f" {name} " not in result.stdout] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = sentiscope(command, "--help")
    assert result.exit_code == 0
    assert f"sentiscope {command}" in result.stdout


def test_no_command_shows_the_help() -> None:
    assert "Tells what an image makes people feel." in sentiscope().output


def test_unknown_command_is_named() -> None:
    result = sentiscope("paint")
    assert result.exit_code == 2
    assert "paint" in result.stderr


def test_command_line_is_imported_without_what_single_commands_need() -> None:
    code = "import json, sys, sentiscope.cli; print(json.dumps(sorted(sys.modules)))"
    heavy = {"torch", "torchvision", "onnxruntime", "fastapi", "numpy", "PIL", "pydantic", "tqdm"}
    assert heavy & set(in_python(code)) == set()


def test_client_is_imported_without_what_single_images_need() -> None:
    code = "import json, sys, sentiscope.client; print(json.dumps(sorted(sys.modules)))"
    heavy = {"torch", "onnxruntime", "fastapi", "numpy", "PIL", "app", "models", "typer"}
    assert heavy & set(in_python(code)) == set()


_WITHOUT_TRAIN_EXTRA = """
import json, sys
for name in (*sys.argv[1].split(","), "tqdm"):
    sys.modules[name] = None
from typer.testing import CliRunner
from sentiscope.cli import app
said = {}
for line in sys.argv[2:]:
    result = CliRunner().invoke(app, line.split())
    said[line.split()[0]] = [result.exit_code, result.output, repr(result.exception)]
print(json.dumps(said))
"""


def test_without_the_train_extra_commands_say_what_to_do(tmp_path: Path) -> None:
    config = finetune_yaml(tmp_path / "train.yaml")
    (tmp_path / "source" / "train" / "joy").mkdir(parents=True)
    lines = [f"{command} {config}" for command in ("train", "evaluate", "export")]
    lines.append(f"datasets import class_folder {tmp_path / 'source'} --name a --root {tmp_path}")
    said = in_python(_WITHOUT_TRAIN_EXTRA, ",".join(TRAIN_EXTRA), *lines)
    for status, output, raised in said.values():
        assert (status, raised) == (1, "SystemExit(1)")
        assert "needs the 'train' extra" in output
        assert "use `make setup`, then .venv/bin" in output
        assert output.count("\n") == 1


def test_without_the_train_extra_models_are_listed(tmp_path: Path) -> None:
    said = in_python(_WITHOUT_TRAIN_EXTRA, ",".join(TRAIN_EXTRA), f"models list --root {tmp_path}")
    assert said["models"][0] == 0
