"""One launcher for all faults, and the same job done without any."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentiscope.client import Client
from sentiscope.launcher import DEMO
from tests.faults.plant import CONFIG, PATIENT, SETTINGS, Plant
from tests.sentiscope.launched import launched
from tests.training.generated import finetune_config, train_on_one_thread, write_colours
from training.run import RunFolder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the launcher works; with the colours, and with nothing to paint."""
    root = tmp_path_factory.mktemp("plant")
    for name in DEMO:
        (root / "var" / "datasets" / name).mkdir(parents=True)
    write_colours(root / "var" / "datasets", train=16, val=5, test=2)
    return root


@pytest.fixture(scope="session")
def plant(folder: Path) -> Iterator[Plant]:
    """Everything at work."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"  # as the undisturbed run has it
    try:
        with (
            launched(folder, **SETTINGS) as running,
            Client(running.url, retries=PATIENT) as client,
        ):
            yield Plant(running, client)
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


@pytest.fixture(scope="session")
def undisturbed(folder: Path) -> RunFolder:
    """The job's run where nothing is killed."""
    config = finetune_config(**CONFIG)
    return train_on_one_thread(folder / "undisturbed", config, folder / "var" / "datasets")
