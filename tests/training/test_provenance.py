"""Where a model comes from, said so that anybody can check it."""

import importlib.util
import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.training.generated import NAME, finetune_config
from training import provenance
from training.config.downstream import FinetuneConfig
from training.data.canonical import read_card
from training.provenance import lineage
from training.run import RunFolder
from training.trained import TrainedRun


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The module as a file elsewhere, where no checkout is."""
    (tmp_path / "training").mkdir()
    assert provenance.__file__ is not None
    return Path(shutil.copy(provenance.__file__, tmp_path / "training"))


def code_version(file: Path) -> str:
    """What the module at `file` says."""
    spec = importlib.util.spec_from_file_location("copied_provenance", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.code_version())


def commit(folder: Path, *files: Path) -> str:
    git(folder, "init", "--quiet")
    git(folder, "add", *map(str, files))
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "All there is")
    return git(folder, "rev-parse", "--short=12", "HEAD")


def test_outside_of_a_checkout_the_version_is_the_released_one(copied: Path) -> None:
    assert code_version(copied) == version("sentiscope")


def test_in_a_checkout_the_version_names_the_commit(copied: Path) -> None:
    made = commit(copied.parents[1], copied)
    assert code_version(copied) == f"{version('sentiscope')}+g{made}"


def test_code_that_is_not_committed_is_called_dirty(copied: Path) -> None:
    made = commit(copied.parents[1], copied)
    copied.write_text(copied.read_text() + "\n")
    assert code_version(copied) == f"{version('sentiscope')}+g{made}.dirty"


def test_a_checkout_of_something_else_around_the_code_is_not_its_version(copied: Path) -> None:
    commit(copied.parents[1])
    assert code_version(copied) == version("sentiscope")


def opened(run: RunFolder, root: Path, **changes: object) -> TrainedRun:
    made = TrainedRun.open(run.path, root)
    return replace(made, config=finetune_config(**changes))


def test_a_lineage_has_the_digests_of_weights_and_data(uninterrupted: RunFolder, few: Path) -> None:
    found = lineage(opened(uninterrupted, few))
    card = read_card(few / NAME)
    assert found.weights_sha256 == sha256(uninterrupted.best_weights.read_bytes()).hexdigest()
    assert [(one.name, one.digest, one.terms) for one in found.datasets] == [
        (NAME, card.digest, "Generated; free for any use.")
    ]


def test_a_lineage_holds_the_whole_configuration(uninterrupted: RunFolder, few: Path) -> None:
    found = lineage(opened(uninterrupted, few))
    assert FinetuneConfig.model_validate(found.config) == finetune_config()


def test_weights_that_a_run_made_itself_are_called_so(uninterrupted: RunFolder, few: Path) -> None:
    assert lineage(opened(uninterrupted, few)).parents == ("mobilenet_v2: random weights",)


def test_a_file_of_weights_is_named_with_its_digest(
    uninterrupted: RunFolder, few: Path, tmp_path: Path
) -> None:
    path = tmp_path / "imagenet.pth"
    path.write_bytes(b"weights")
    backbone = {"name": "mobilenet_v2", "weights": {"source": "file", "path": path}}
    known = sha256(b"weights").hexdigest()
    run = opened(uninterrupted, few, backbone=backbone)
    assert lineage(run).parents == (f"imagenet.pth sha256:{known}",)
    path.unlink()
    assert lineage(run).parents == ("imagenet.pth",)
