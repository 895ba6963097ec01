"""A pipeline as jobs: its own record, and one for each step."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from training.config.pipeline import PipelineConfig, PipelineStep
from worker.errors import JobError
from worker.jobs import QUEUES, JobConfig, JobKind, JobRecord, JobSpec, Queue, dataset_names, new_id

_PRETRAININGS = (PipelineStep.STIMULI, PipelineStep.ORGANIZING, PipelineStep.PERCEIVING)

DEPENDS_ON: Mapping[PipelineStep, tuple[PipelineStep, ...]] = {
    PipelineStep.STIMULI: (),
    PipelineStep.ORGANIZING: (),
    PipelineStep.PERCEIVING: (),
    PipelineStep.AMALGAMATE: _PRETRAININGS,
    PipelineStep.EVALUATE: (PipelineStep.AMALGAMATE,),
    PipelineStep.EXPORT: (PipelineStep.EVALUATE,),
}
"""The steps that must have succeeded before one starts."""


class NotAPipeline(JobError):
    """The job asked for has no steps."""


def expand(
    spec: JobSpec, *, awaited: Mapping[PipelineStep, tuple[str, ...]] | None = None
) -> tuple[JobRecord, ...]:
    """The records of a pipeline, its own first; their ids sort in this order.

    A step refers to an earlier one by its job id, to a job outside of the pipeline as it was given.
    Its GPUs and its time limit are the pipeline's.
    `awaited`: ids of other jobs that a step has to wait for as well.
    """
    if not isinstance(spec.config, PipelineConfig):
        raise NotAPipeline(f"a job of kind {spec.kind} cannot be expanded, only a pipeline can")
    now = datetime.now(UTC)
    parent = JobRecord.of(spec, id=new_id(now))
    ids = {
        step: new_id(now + timedelta(milliseconds=place))
        for place, step in enumerate(PipelineStep, start=1)
    }
    others = awaited or {}
    children = (
        JobRecord.of(
            _step_spec(spec, step, _pointed(spec.config, step, ids)),
            datasets=_datasets(spec.config, step),
            id=ids[step],
            parent_id=parent.id,
            step=step.value,
            depends_on=(*(ids[before] for before in DEPENDS_ON[step]), *others.get(step, ())),
        )
        for step in PipelineStep
    )
    return parent, *children


def _step_spec(spec: JobSpec, step: PipelineStep, config: JobConfig) -> JobSpec:
    kind = JobKind(config.recipe)
    return JobSpec(
        kind=kind,
        config=config,
        name=f"{spec.name}: {step}" if spec.name else None,
        labels=spec.labels,
        gpus=spec.gpus if QUEUES[kind] is Queue.GPU else 1,
        time_limit_s=spec.time_limit_s,
    )


def _datasets(config: PipelineConfig, step: PipelineStep) -> tuple[str, ...]:
    """What a step reads: of the steps after training, also what the student was trained on."""
    own = dataset_names(getattr(config, step))
    after = step in (PipelineStep.EVALUATE, PipelineStep.EXPORT)
    return tuple(sorted({*own, *(dataset_names(config.amalgamate) if after else ())}))


def _pointed(config: PipelineConfig, step: PipelineStep, ids: Mapping[PipelineStep, str]) -> Any:
    """A step's configuration with job ids in the place of the names of earlier steps."""
    runs = {Path(name): Path(made) for name, made in ids.items()} if DEPENDS_ON[step] else {}
    return _replaced(getattr(config, step), runs)


def _replaced(part: Any, runs: Mapping[Path, Path]) -> Any:
    """A copy of a configuration in which every field `run` is looked up in `runs`."""
    if isinstance(part, tuple):
        return tuple(_replaced(entry, runs) for entry in part)
    if not isinstance(part, BaseModel):
        return part
    changes = {
        name: runs.get(value, value) if name == "run" else _replaced(value, runs)
        for name, value in part
    }
    return part.model_copy(update=changes)
