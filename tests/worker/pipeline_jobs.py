"""Pipelines for tests: the demo's configuration, and steps that end without any training."""

from collections.abc import Mapping
from typing import Any

from training.config.pipeline import PipelineConfig, PipelineStep
from training.config.presets import settled
from worker.expansion import expand
from worker.jobs import JobKind, JobRecord, JobSpec
from worker.status import JobStatus
from worker.store import JobStore, Lease

STEPS = tuple(step.value for step in PipelineStep)
PRETRAININGS = STEPS[:3]


def pipeline_config(**changes: Any) -> PipelineConfig:
    """The demo's configuration with other fields."""
    given = {"preset": "demo/pipeline", **changes}
    return PipelineConfig.model_validate(settled(given, role="pipeline"))


def pipeline_spec(**changes: Any) -> JobSpec:
    """What a client asks for; `changes` are the configuration's."""
    return JobSpec(kind=JobKind.PIPELINE, config=pipeline_config(**changes), name="first")


def submitted(store: JobStore, **changes: Any) -> JobRecord:
    """A pipeline that was stored just now."""
    return store.create(expand(pipeline_spec(**changes)))


def step(store: JobStore, parent: JobRecord, name: str) -> JobRecord:
    """One step of a pipeline as it is stored."""
    return next(child for child in store.children(parent.id) if child.step == name)


def states(store: JobStore, parent: JobRecord) -> dict[str, str]:
    """Status by step."""
    return {str(child.step): child.status.value for child in store.children(parent.id)}


def start(store: JobStore, parent: JobRecord, name: str) -> Lease:
    """Claim a step as a worker does."""
    found = step(store, parent, name)
    lease = store.claim(found.id, worker="test", lease_s=60, max_attempts=3)
    assert lease, f"{name} cannot be started: {found.status}"
    return lease


def end(
    store: JobStore,
    parent: JobRecord,
    name: str,
    to: JobStatus = JobStatus.SUCCEEDED,
    **fields: Any,
) -> None:
    """Start a step where it is queued, and end it in the state `to`."""
    if step(store, parent, name).status is JobStatus.QUEUED:
        start(store, parent, name)
    store.move(step(store, parent, name).id, to, **fields)


def succeed_all(store: JobStore, parent: JobRecord, *, results: Mapping[str, Any]) -> None:
    """End every step, with the given results by step."""
    for name in STEPS:
        end(store, parent, name, result=results.get(name))
