"""Data sets, runs and one bundle that several test modules share; each is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from models.bundle import Bundle
from tests.training.generated import DEFAULTS, finetune_config, train, write_colours
from training.config.publishing import ExportConfig
from training.launch import launch
from training.run import RunFolder


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks this small gain nothing from more, and lose much where the cores are busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets' root: colours in three steps of eight and a rest that is dropped."""
    return write_colours(tmp_path_factory.mktemp("few"), train=28, val=12, test=6)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets' root: colours enough to learn them, and for every check of an export."""
    return write_colours(tmp_path_factory.mktemp("many"), train=96, val=70, test=30)


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, few: Path) -> RunFolder:
    """A run of two epochs that nobody disturbed."""
    return train(tmp_path_factory.mktemp("runs") / "uninterrupted", finetune_config(), few)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, many: Path) -> RunFolder:
    """A run that learned the colours; its last feature map has 2x2 cells."""
    config = finetune_config(
        backbone={"name": "resnet18"},
        image={**DEFAULTS["image"], "size": 64, "train_crop": 56},
        optimizer={"name": "adamw", "learning_rate": 3e-4, "head_learning_rate": 1e-2},
    )
    return train(tmp_path_factory.mktemp("runs") / "trained", config, many)


@pytest.fixture(scope="session")
def export_run(
    tmp_path_factory: pytest.TempPathFactory, trained: RunFolder, many: Path
) -> RunFolder:
    """The export of `trained`, finished: the model `tiny` in the registry beside it."""
    folder = tmp_path_factory.mktemp("export")
    notes = folder / "notes.md"
    notes.write_text("Tells *colours* apart.", encoding="utf-8")
    run = RunFolder(folder / "run")
    run.prepare(
        ExportConfig.model_validate(
            {
                "run": trained.path,
                "name": "tiny",
                "registry": folder / "models",
                "notes": notes,
                "calibration_images": 48,
                "parity_images": 64,
                "compute": {"device": "cpu", "loader_workers": 0},
            }
        )
    )
    launch(run, datasets_root=many)
    return run


@pytest.fixture(scope="session")
def bundle(export_run: RunFolder) -> Bundle:
    """What the export published."""
    return Bundle.open(export_run.path.parent / "models" / "tiny" / "1")
