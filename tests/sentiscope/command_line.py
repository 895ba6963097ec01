"""The command line in this process, and the files it is given."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import skimage
import yaml
from typer.testing import CliRunner, Result

from sentiscope.cli import app
from tests.training.generated import DEFAULTS

DATA = Path(skimage.__file__).parent / "data"
PHOTOS = [DATA / name for name in ("astronaut.png", "chelsea.png", "rocket.jpg")]
"""Photographs that come with scikit-image."""


def sentiscope(*arguments: object) -> Result:
    """What `sentiscope ARGUMENTS...` prints and exits with; a traceback is raised here."""
    return CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)


def refusal(*arguments: object) -> str:
    """The reason for which a command ends with status 1, without anything on stdout."""
    result = sentiscope(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    remarks, _, reason = result.stderr.partition("error: ")
    assert all(line.startswith("run folder: ") for line in remarks.splitlines())
    assert reason.endswith("\n")
    return reason.removesuffix("\n")


def write_yaml(file: Path, content: Mapping[str, Any]) -> Path:
    """A recipe's YAML file; paths become strings."""
    plain = {key: str(each) if isinstance(each, Path) else each for key, each in content.items()}
    file.write_text(yaml.safe_dump(plain), encoding="utf-8")
    return file


def finetune_yaml(file: Path, **changes: Any) -> Path:
    """The shortest training on the colours."""
    return write_yaml(file, {"recipe": "finetune", **DEFAULTS, "epochs": 1, **changes})
