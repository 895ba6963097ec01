"""One launcher for all faults, and the same job done without any."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentiscope.client import Client
from sentiscope.launcher import DEMO
from tests.faults.plant import CONFIG, LONGEST_S, PATIENT, SETTINGS, Plant
from tests.sentiscope.launched import launched
from tests.training.generated import finetune_config, started, write_colours
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
    run = RunFolder(folder / "undisturbed")
    run.prepare(finetune_config(**CONFIG))
    process = started(run, folder / "var" / "datasets")
    try:
        said = process.communicate(timeout=LONGEST_S)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, said
    return run
