"""Where a model comes from: code version, data digests, and the weights training started from."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from models.bundle import file_sha256
from models.manifest import DatasetLineage, Lineage
from training.config.backbone import FileWeights, RunWeights, Weights
from training.config.downstream import AmalgamateConfig, DownstreamConfig
from training.data.canonical import CanonicalDataset, read_card
from training.run import RunFolder
from training.trained import TrainedRun


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


def lineage(trained: TrainedRun) -> Lineage:
    """The lineage of a trained run."""
    return Lineage(
        code_version=code_version(),
        backbone=trained.config.backbone.name,
        config=trained.config.model_dump(mode="json"),
        datasets=tuple(_dataset(dataset) for _, dataset in trained.datasets),
        weights_sha256=file_sha256(trained.weights),
        parents=_parents(trained.config),
    )


def _dataset(dataset: CanonicalDataset) -> DatasetLineage:
    terms = read_card(dataset.root).terms
    return DatasetLineage(name=dataset.name, digest=dataset.digest, terms=terms)


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
