"""A job's configuration as its process needs it: folders in place of job ids and model names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.registry import Registry
from training.config.backbone import BackboneConfig, FileWeights, RunWeights, Weights
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.importing import ImportConfig
from training.config.pretraining import PretrainConfig
from training.config.publishing import EvaluateConfig, ExportConfig
from training.config.recipes import RecipeConfig
from worker.errors import JobError
from worker.jobs import is_id
from worker.weights import weights_file


class NotAJob(JobError):
    """A configuration names as a run what is not a job's id."""


def resolved(
    config: RecipeConfig,
    *,
    jobs_root: Path,
    models: Registry,
    weights_roots: Sequence[Path],
) -> RecipeConfig:
    """`config` with the runs of jobs as folders below `jobs_root`, bundles as folders of `models`.

    Weights files are those in `weights_roots`; an export publishes into `models`. Raises NotAJob,
    WeightsRefused, and UnknownModel for a bundle.
    """
    start = _Start(jobs_root, weights_roots)
    match config:
        case PretrainConfig() | FinetuneConfig():
            return config.model_copy(update={"backbone": start.backbone(config.backbone)})
        case AmalgamateConfig():
            return _amalgamation(config, start)
        case EvaluateConfig():
            return _evaluation(config, jobs_root, models)
        case ExportConfig():
            folders = {"run": _folder(config.run, jobs_root), "registry": models.root.absolute()}
            return config.model_copy(update=folders)
        case ImportConfig():
            return config


@dataclass(frozen=True, slots=True)
class _Start:
    """Where backbones' weights lie."""

    jobs_root: Path
    weights_roots: Sequence[Path]

    def backbone(self, config: BackboneConfig) -> BackboneConfig:
        return config.model_copy(update={"weights": self.weights(config.weights)})

    def weights(self, weights: Weights) -> Weights:
        if isinstance(weights, RunWeights):
            return RunWeights(run=_folder(weights.run, self.jobs_root))
        if isinstance(weights, FileWeights):
            return FileWeights(path=weights_file(weights.path, self.weights_roots))
        return weights


def _amalgamation(config: AmalgamateConfig, start: _Start) -> AmalgamateConfig:
    teachers = tuple(
        teacher.model_copy(update={"weights": start.weights(teacher.weights)})
        for teacher in config.teachers
    )
    backbone = start.backbone(config.backbone)
    return config.model_copy(update={"backbone": backbone, "teachers": teachers})


def _evaluation(config: EvaluateConfig, jobs_root: Path, models: Registry) -> EvaluateConfig:
    if config.bundle is not None:
        bundle = models.path(*models.resolve(str(config.bundle)))
        return config.model_copy(update={"bundle": bundle.absolute()})
    assert config.run is not None
    return config.model_copy(update={"run": _folder(config.run, jobs_root)})


def _folder(run: Path, jobs_root: Path) -> Path:
    if not is_id(str(run)):
        raise NotAJob(f"{run} is given as a run, expected the id of a job: 26 hexadecimal digits")
    return jobs_root.absolute() / run
