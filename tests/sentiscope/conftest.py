"""One way through the whole command line, and a service whose worker the test is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from typer.testing import Result

from sentiscope.client import Client
from tests.sentiscope.command_line import finetune_yaml, sentiscope, write_yaml
from tests.sentiscope.office import Office, opened
from tests.training.generated import DEFAULTS, NAME, write_colours
from tests.worker.redis_server import running_redis


@dataclass(frozen=True, slots=True)
class Workshop:
    """Folders of data sets, runs and models, and what each command said on the way."""

    root: Path
    said: dict[str, Result]

    @property
    def datasets(self) -> Path:
        """Root of the data sets."""
        return self.root / "datasets"

    @property
    def models(self) -> Path:
        """Root of the registry."""
        return self.root / "models"

    @property
    def run(self) -> Path:
        """Folder of the training."""
        return self.root / "run"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Imported, trained, exported and evaluated, by commands alone."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("workshop")
    made = Workshop(root, {})
    write_colours(root / "drawn", train=24, val=16, test=10)
    source = root / "drawn" / f"{NAME}-source"
    labels = ("--labels", "red,green,blue", "--root", made.datasets)
    made.said["import"] = sentiscope(
        "datasets", "import", "canonical", source, "--name", NAME, *labels
    )
    config = finetune_yaml(root / "train.yaml")
    shared = ("--datasets", made.datasets)
    made.said["train"] = sentiscope("train", config, "--run", made.run, *shared)
    export = {
        "recipe": "export",
        "run": made.run,
        "name": "colours",
        "registry": made.models,
        "int8": False,
        "compute": DEFAULTS["compute"],
    }
    config = write_yaml(root / "export.yaml", export)
    made.said["export"] = sentiscope("export", config, "--run", root / "exporting", *shared)
    evaluate = {
        "recipe": "evaluate",
        "bundle": made.models / "colours" / "1",
        "datasets": [{"name": NAME, "kinds": ["single"]}],
        "compute": DEFAULTS["compute"],
    }
    config = write_yaml(root / "evaluate.yaml", evaluate)
    made.said["evaluate"] = sentiscope("evaluate", config, "--run", root / "scoring", *shared)
    yield made
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One for all tests of a module: each has jobs and data sets of its own."""
    folder = tmp_path_factory.mktemp("office")
    with running_redis(folder / "redis") as redis, opened(folder, redis) as made:
        yield made


@pytest.fixture(scope="module")
def client(office: Office) -> Iterator[Client]:
    """A client of that service."""
    with Client(office.server.url) as made:
        yield made
