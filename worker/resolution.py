"""A job's configuration as its process needs it: folders in place of job ids and model names."""

import re
from pathlib import Path

from models.registry import Registry
from training.config.backbone import BackboneConfig, RunWeights, Weights
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.importing import ImportConfig
from training.config.pretraining import PretrainConfig
from training.config.publishing import EvaluateConfig, ExportConfig
from training.config.recipes import RecipeConfig
from worker.errors import JobError

_JOB_ID = re.compile(r"[0-9a-f]{26}")


class NotAJob(JobError):
    """A configuration names as a run what is not a job's id."""


def resolved(config: RecipeConfig, *, jobs_root: Path, models: Registry) -> RecipeConfig:
    """`config` with the runs of jobs as folders below `jobs_root`, bundles as folders of `models`.

    An export publishes into `models`. Raises NotAJob, and UnknownModel for a bundle.
    """
    match config:
        case PretrainConfig() | FinetuneConfig():
            return config.model_copy(update={"backbone": _backbone(config.backbone, jobs_root)})
        case AmalgamateConfig():
            return _amalgamation(config, jobs_root)
        case EvaluateConfig():
            return _evaluation(config, jobs_root, models)
        case ExportConfig():
            folders = {"run": _folder(config.run, jobs_root), "registry": models.root.absolute()}
            return config.model_copy(update=folders)
        case ImportConfig():
            return config


def _amalgamation(config: AmalgamateConfig, jobs_root: Path) -> AmalgamateConfig:
    teachers = tuple(
        teacher.model_copy(update={"weights": _weights(teacher.weights, jobs_root)})
        for teacher in config.teachers
    )
    backbone = _backbone(config.backbone, jobs_root)
    return config.model_copy(update={"backbone": backbone, "teachers": teachers})


def _evaluation(config: EvaluateConfig, jobs_root: Path, models: Registry) -> EvaluateConfig:
    if config.bundle is not None:
        bundle = models.path(*models.resolve(str(config.bundle)))
        return config.model_copy(update={"bundle": bundle.absolute()})
    assert config.run is not None
    return config.model_copy(update={"run": _folder(config.run, jobs_root)})


def _backbone(config: BackboneConfig, jobs_root: Path) -> BackboneConfig:
    return config.model_copy(update={"weights": _weights(config.weights, jobs_root)})


def _weights(weights: Weights, jobs_root: Path) -> Weights:
    if isinstance(weights, RunWeights):
        return RunWeights(run=_folder(weights.run, jobs_root))
    return weights


def _folder(run: Path, jobs_root: Path) -> Path:
    if not _JOB_ID.fullmatch(str(run)):
        raise NotAJob(f"{run} is given as a run, expected the id of a job: 26 hexadecimal digits")
    return jobs_root.absolute() / run
