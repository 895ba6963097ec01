"""Where a model comes from, said so that anybody can check it."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest

from models.manifest import Lineage
from tests.training.generated import NAME, finetune_config
from training import provenance
from training.config.downstream import FinetuneConfig
from training.config.presets import settled
from training.config.pretraining import PretrainConfig
from training.config.recipes import RECIPE_CONFIG
from training.config.supervision import FENCE_FILE
from training.data.canonical import read_card
from training.origin import Origin
from training.provenance import lineage, record_origin
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


def told(trained: TrainedRun) -> Lineage:
    """Its lineage where a run at the command line exports it."""
    return lineage(trained, publisher=RunFolder(trained.weights.parent))


def test_a_lineage_has_the_digests_of_weights_and_data(uninterrupted: RunFolder, few: Path) -> None:
    found = told(opened(uninterrupted, few))
    card = read_card(few / NAME)
    assert found.weights_sha256 == sha256(uninterrupted.best_weights.read_bytes()).hexdigest()
    assert [(one.name, one.digest, one.terms) for one in found.datasets] == [
        (NAME, card.digest, "Generated; free for any use.")
    ]


def test_a_lineage_holds_the_whole_configuration(uninterrupted: RunFolder, few: Path) -> None:
    found = told(opened(uninterrupted, few))
    assert FinetuneConfig.model_validate(found.config) == finetune_config()


def test_weights_that_a_run_made_itself_are_called_so(uninterrupted: RunFolder, few: Path) -> None:
    assert told(opened(uninterrupted, few)).parents == ("mobilenet_v2: random weights",)


def test_a_file_of_weights_is_named_with_its_digest(
    uninterrupted: RunFolder, few: Path, tmp_path: Path
) -> None:
    path = tmp_path / "imagenet.pth"
    path.write_bytes(b"weights")
    backbone = {"name": "mobilenet_v2", "weights": {"source": "file", "path": path}}
    known = sha256(b"weights").hexdigest()
    run = opened(uninterrupted, few, backbone=backbone)
    assert told(run).parents == (f"imagenet.pth sha256:{known}",)
    path.unlink()
    assert told(run).parents == ("imagenet.pth",)


def test_the_default_models_backbone_is_named_with_its_digest(
    uninterrupted: RunFolder, few: Path
) -> None:
    backbone = {"name": "mobilenet_v2", "weights": {"source": "default_model"}}
    (parent,) = told(opened(uninterrupted, few, backbone=backbone)).parents
    assert re.fullmatch("mobilenet_v2 of the default model sha256:[0-9a-f]{64}", parent)


def pretraining(folder: Path, root: Path, *, weights: dict[str, object] | None = None) -> RunFolder:
    """A pre-training job as it is left behind: folder, configuration, origin, weights."""
    task = {"task": "colorization", "datasets": [NAME]}
    backbone = {"name": "mobilenet_v2", "weights": weights or {"source": "random"}}
    config = PretrainConfig.model_validate(
        {"step": "stimuli", "backbone": backbone, "tasks": [task]}
    )
    run = RunFolder(folder)
    run.prepare(config)
    record_origin(run, config, datasets_root=root)
    run.best_weights.parent.mkdir()
    run.best_weights.write_bytes(folder.name.encode())
    (folder / FENCE_FILE).write_text("1")
    return run


def started_from(run: RunFolder, trained: RunFolder, root: Path) -> TrainedRun:
    weights = {"source": "run", "run": str(run.path)}
    return opened(trained, root, backbone={"name": "mobilenet_v2", "weights": weights})


def test_a_lineage_tells_of_the_runs_before_it(
    uninterrupted: RunFolder, few: Path, tmp_path: Path
) -> None:
    first = pretraining(tmp_path / "first", few)
    weights: dict[str, object] = {"source": "run", "run": str(first.path)}
    second = pretraining(tmp_path / "second", few, weights=weights)
    found = told(started_from(second, uninterrupted, few))
    assert [one.run for one in found.ancestors] == ["first", "second"]
    assert found.ancestors[1].weights_sha256 == sha256(b"second").hexdigest()
    assert found.ancestors[1].datasets == found.datasets
    assert found.ancestors[1].code_version == provenance.code_version()
    assert found.parents == (f"run second sha256:{sha256(b'second').hexdigest()}",)


def test_a_lineage_names_the_jobs_that_made_it(
    uninterrupted: RunFolder, few: Path, tmp_path: Path
) -> None:
    job = pretraining(tmp_path / "a-job", few)
    publisher = RunFolder(tmp_path / "export")
    publisher.path.mkdir()
    (publisher.path / FENCE_FILE).write_text("1")
    found = lineage(started_from(job, uninterrupted, few), publisher=publisher)
    assert found.jobs == ("a-job", "export")


def test_a_jobs_configuration_tells_nothing_of_the_hosts_folders(
    uninterrupted: RunFolder, few: Path, tmp_path: Path
) -> None:
    file: dict[str, object] = {"source": "file", "path": str(tmp_path / "r18.pth")}
    first = pretraining(tmp_path / "first", few, weights=file)
    weights: dict[str, object] = {"source": "run", "run": str(first.path)}
    second = pretraining(tmp_path / "second", few, weights=weights)
    found = told(started_from(second, uninterrupted, few))
    assert str(tmp_path) not in str([one.config for one in found.ancestors])
    told_weights = [one.config["backbone"] for one in found.ancestors]
    assert told_weights == [
        {"name": "mobilenet_v2", "weights": {"source": "file", "path": "r18.pth"}},
        {"name": "mobilenet_v2", "weights": {"source": "run", "run": "first"}},
    ]


def test_a_run_that_is_gone_is_named_all_the_same(
    uninterrupted: RunFolder, few: Path, tmp_path: Path
) -> None:
    found = told(started_from(RunFolder(tmp_path / "gone"), uninterrupted, few))
    assert (found.parents, found.ancestors) == (("run gone",), ())


def test_a_lineage_has_the_data_as_they_were_when_it_trained(
    uninterrupted: RunFolder, few: Path, tmp_path: Path
) -> None:
    copy = RunFolder(Path(shutil.copytree(uninterrupted.path, tmp_path / "run")))
    record_origin(copy, finetune_config(), datasets_root=few)
    origin = Origin.read(copy)
    assert origin is not None
    (dataset,) = origin.datasets
    earlier = origin.model_copy(update={"datasets": (dataset.model_copy(update={"digest": "0"}),)})
    earlier.write(copy)
    assert [one.digest for one in told(opened(copy, few)).datasets] == ["0"]


def test_a_recipe_that_trains_nothing_has_no_origin(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    config = RECIPE_CONFIG.validate_python(settled({"preset": "demo/export"}))
    record_origin(run, config, datasets_root=tmp_path)
    assert Origin.read(run) is None
