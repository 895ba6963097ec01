"""Where a model comes from: code version, data digests, and the weights training started from."""

import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from models.bundle import file_sha256
from models.manifest import Ancestor, Lineage
from training.backbone import DEFAULT_WEIGHTS
from training.config.backbone import DefaultModelWeights, FileWeights, RunWeights, Weights
from training.config.downstream import AmalgamateConfig, DownstreamConfig, FinetuneConfig
from training.config.pretraining import PretrainConfig
from training.config.recipes import RecipeConfig
from training.config.supervision import FENCE_FILE
from training.origin import Origin, dataset_lineage, training_datasets
from training.run import NotARun, RunFolder
from training.trained import TrainedRun

_PATHS = frozenset({"run", "path"})
"""Fields of a configuration that hold where a run or a file lies."""


def code_version() -> str:
    """The package's version and, in a checkout, the commit."""
    try:
        released = version("sentiscope")
    except PackageNotFoundError:
        released = "0"
    tracked = _git("ls-files", Path(__file__).name)  # an environment may lie in another checkout
    commit = _git("rev-parse", "--short=12", "HEAD") if tracked else ""
    if not commit:
        return released
    return f"{released}+g{commit}" + (".dirty" if _git("status", "--porcelain") else "")


def record_origin(run: RunFolder, config: RecipeConfig, *, datasets_root: Path) -> None:
    """Keep in its folder what a training starts from; other recipes have nothing to keep.

    Raises BadDataset.
    """
    names = training_datasets(config)
    if run.writes and names:
        datasets = tuple(dataset_lineage(datasets_root / name) for name in names)
        Origin(code_version=code_version(), datasets=datasets).write(run)


def lineage(trained: TrainedRun, *, publisher: RunFolder) -> Lineage:
    """The lineage of a trained run, published by the run `publisher`."""
    run = RunFolder(trained.weights.parents[1])
    recorded = Origin.read(run)
    now = tuple(dataset_lineage(dataset.root) for _, dataset in trained.datasets)
    before = tuple(_ancestors(trained.config))
    jobs = (*before, run, publisher)
    return Lineage(
        code_version=code_version(),
        backbone=trained.config.backbone.name,
        config=_told(trained.config, run),
        datasets=recorded.datasets if recorded else now,
        weights_sha256=file_sha256(trained.weights),
        parents=_parents(trained.config),
        ancestors=tuple(_ancestor(found) for found in before),
        jobs=tuple(found.path.name for found in jobs if _is_job(found)),
    )


def _ancestors(config: RecipeConfig) -> Iterator[RunFolder]:
    """The runs that training started from and those before them, the earliest first, each once."""
    found: dict[Path, RunFolder] = {}
    for weights in _starts(config):
        if isinstance(weights, RunWeights):
            run = RunFolder(weights.run)
            try:
                before = [*_ancestors(run.config()), run]
            except NotARun:
                continue  # it is gone: what is left of it is its name among the parents
            found |= {one.path.resolve(): one for one in before if one.path.resolve() not in found}
    yield from found.values()


def _ancestor(run: RunFolder) -> Ancestor:
    recorded = Origin.read(run)
    weights = run.best_weights
    return Ancestor(
        run=run.path.name,
        config=_told(run.config(), run),
        code_version=recorded.code_version if recorded else None,
        datasets=recorded.datasets if recorded else (),
        weights_sha256=file_sha256(weights) if weights.is_file() else None,
    )


def _is_job(run: RunFolder) -> bool:
    """Whether a worker made it; its folder's name is the job's id then."""
    return (run.path / FENCE_FILE).exists()


def _told(config: RecipeConfig, run: RunFolder) -> dict[str, object]:
    """The configuration; a job's names other jobs and files, and not where this host has them."""
    plain = config.model_dump(mode="json")
    return _without_folders(plain) if _is_job(run) else plain


def _without_folders(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_folders(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    return {
        name: Path(value).name
        if name in _PATHS and isinstance(value, str)
        else _without_folders(value)
        for name, value in part.items()
    }


def _starts(config: RecipeConfig) -> tuple[Weights, ...]:
    """The weights that the network and, of an amalgamation, its teachers start from."""
    if not isinstance(config, PretrainConfig | FinetuneConfig | AmalgamateConfig):
        return ()
    teachers = config.teachers if isinstance(config, AmalgamateConfig) else ()
    return (config.backbone.weights, *(teacher.weights for teacher in teachers))


def _parents(config: DownstreamConfig) -> tuple[str, ...]:
    """The weights that the network and, of an amalgamation, its teachers started from."""
    teachers = config.teachers if isinstance(config, AmalgamateConfig) else ()
    return (
        _origin(config.backbone.weights, config),
        *(f"{teacher.name}: {_origin(teacher.weights, config)}" for teacher in teachers),
    )


def _origin(weights: Weights, config: DownstreamConfig) -> str:
    match weights:
        case FileWeights(path=file):
            name = file.name
        case RunWeights(run=folder):
            file, name = RunFolder(folder).best_weights, f"run {folder.name}"
        case DefaultModelWeights():
            file = DEFAULT_WEIGHTS / f"{config.backbone.name}.safetensors"
            name = f"{config.backbone.name} of the default model"
        case _:
            return f"{config.backbone.name}: {weights.source} weights"
    return f"{name} sha256:{file_sha256(file)}" if file.is_file() else name


def _git(*arguments: str) -> str:
    """What git prints in the folder of this code; nothing where there is no git or checkout."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
