"""What a configuration refers to outside itself, each with its place in the request."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from app.configuration import Loc
from training.config.backbone import FileWeights, RunWeights
from training.config.datasets import DatasetConfig
from training.config.pipeline import PipelineConfig, PipelineStep
from training.config.pretraining import TaskConfig
from training.config.publishing import EvaluateConfig, ExportConfig
from worker.jobs import JobConfig, JobKind

PRETRAINED = frozenset({JobKind.PRETRAIN, JobKind.FINETUNE, JobKind.AMALGAMATE})
"""Kinds of job whose backbone another training can start from."""

LABELLED = frozenset({JobKind.FINETUNE, JobKind.AMALGAMATE})
"""Kinds of job that end with a network to evaluate or export."""


@dataclass(frozen=True, slots=True)
class RunReference:
    """A job whose run is built upon, and the kinds that will do."""

    loc: Loc
    job_id: str
    kinds: frozenset[JobKind]
    reads_its_datasets: bool
    """Whether the data sets that the run was trained on are opened again."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name or a path in its place."""

    loc: Loc
    given: str


@dataclass(frozen=True, slots=True)
class DatasetReference:
    """A data set, and what is taken from it where labels are."""

    loc: Loc
    name: str
    config: DatasetConfig | None


@dataclass(frozen=True, slots=True)
class References:
    """All that a configuration refers to."""

    runs: tuple[RunReference, ...]
    datasets: tuple[DatasetReference, ...]
    weights: tuple[Reference, ...]
    models: tuple[Reference, ...]


def references(config: JobConfig, *, loc: Loc) -> References:
    """What `config`, which stands at `loc`, refers to; a pipeline's own steps are not counted."""
    parts = list(_parts(config, loc))
    own = set(map(str, PipelineStep)) if isinstance(config, PipelineConfig) else set()
    return References(
        runs=tuple(run for run in _runs(parts) if run.job_id not in own),
        datasets=tuple(_datasets(parts)),
        weights=tuple(
            Reference((*at, "path"), str(part.path))
            for at, part in parts
            if isinstance(part, FileWeights)
        ),
        models=tuple(
            Reference((*at, "bundle"), str(part.bundle))
            for at, part in parts
            if isinstance(part, EvaluateConfig) and part.bundle is not None
        ),
    )


def _parts(part: object, loc: Loc) -> Iterator[tuple[Loc, BaseModel]]:
    if isinstance(part, BaseModel):
        yield loc, part
        for name, value in part:
            yield from _parts(value, (*loc, name))
    elif isinstance(part, tuple):
        for place, value in enumerate(part):
            yield from _parts(value, (*loc, place))


def _runs(parts: list[tuple[Loc, BaseModel]]) -> Iterator[RunReference]:
    for loc, part in parts:
        run: Path | None = getattr(part, "run", None)
        if run is None:
            continue
        is_start = isinstance(part, RunWeights)
        assert is_start or isinstance(part, EvaluateConfig | ExportConfig)
        kinds = PRETRAINED if is_start else LABELLED
        yield RunReference((*loc, "run"), str(run), kinds, reads_its_datasets=not is_start)


def _datasets(parts: list[tuple[Loc, BaseModel]]) -> Iterator[DatasetReference]:
    for loc, part in parts:
        if isinstance(part, DatasetConfig):
            yield DatasetReference((*loc, "name"), part.name, part)
        elif isinstance(part, TaskConfig):
            for place, name in enumerate(part.datasets):
                yield DatasetReference((*loc, "datasets", place), name, None)
