"""What a recipe's process loads."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.data.layouts import write_folder
from tests.training.generated import picture
from training.config.importing import ImportConfig
from training.run import RunFolder

_PROGRAM = """
import runpy, sys
sys.argv = ["training", *sys.argv[1:]]
try:
    runpy.run_module("training", run_name="__main__")
except SystemExit as ended:
    assert ended.code == 0, ended.code
print(*sorted({"torch", "torchvision", "h5py"} & sys.modules.keys()))
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """An import of a few pictures."""
    names = [f"{label}/{number}.png" for label in ("glad", "sad") for number in range(4)]
    files = {name: picture(number % 3, seed=number) for number, name in enumerate(names)}
    prepared = RunFolder(tmp_path / "run")
    source = write_folder(tmp_path / "source", files)
    given = {"name": "mine", "format": "class_folder", "sources": [source], "val_fraction": 0.5}
    prepared.prepare(ImportConfig.model_validate(given))
    return prepared


def test_an_import_loads_no_pytorch(run: RunFolder, tmp_path: Path) -> None:
    arguments = [str(run.path), "--datasets", str(tmp_path / "datasets")]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
    assert (tmp_path / "datasets" / "mine" / "dataset.json").is_file()
