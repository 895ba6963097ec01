"""Pipelines on their way: expanded into jobs, advanced as these end, promoted at last.

A pipeline holds no worker. Whoever notices something advances it, and any number of callers may
do so at once: each change is made from the very record that it was decided on, or not at all.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import redis

from models.errors import ModelError
from models.registry import Registry
from training.config.pipeline import PipelineConfig, PipelineStep
from worker.errors import JobError
from worker.expansion import expand
from worker.following import follow, walk
from worker.jobs import Failure, JobKind, JobRecord, JobResult
from worker.pipeline_progress import pipeline_progress
from worker.promotion import promote
from worker.redaction import Redaction
from worker.settings import JobSettings
from worker.status import ENDED, JobStatus
from worker.store import JobStore

__all__ = ["NothingPublished", "advance", "advance_all", "expand"]

_LOG = logging.getLogger(__name__)


class NothingPublished(JobError):
    """The export of a pipeline names no version of a model."""


def advance_all(store: JobStore, settings: JobSettings) -> None:
    """Advance every pipeline that has not ended; what hinders one is logged and tried again.

    Raises redis.exceptions.RedisError while Redis is away.
    """
    for parent_id in store.active(JobKind.PIPELINE):
        try:
            advance(store, parent_id, settings=settings)
        except redis.RedisError:
            raise
        except Exception:
            _LOG.exception("pipeline %s cannot advance now", parent_id)


def advance(store: JobStore, parent_id: str, *, settings: JobSettings) -> JobRecord:
    """Bring a pipeline to where its steps are; promote and end it once all have succeeded.

    A caller that another one overtakes looks again, so that the record is never one between two
    moves: where all steps had succeeded, it has ended.
    """
    while True:
        parent = follow(store, parent_id)
        if parent.status in ENDED:
            return parent
        steps = store.children(parent_id)
        if any(step.status is not JobStatus.SUCCEEDED for step in steps):
            progress = pipeline_progress(steps, now=datetime.now(UTC))
            if progress != parent.progress:
                store.show(parent, progress)
            return parent
        ended = _ended(store, parent, steps, settings)
        if ended is not None:
            return ended


def _ended(
    store: JobStore, parent: JobRecord, steps: Sequence[JobRecord], settings: JobSettings
) -> JobRecord | None:
    """The record of a pipeline whose steps all succeeded, after its end; None where it changed."""
    redaction = Redaction.of(settings)
    try:
        registry = Registry(settings.models_root, settings.shipped_root)
        result = _result(parent, steps, registry)
        reason = redaction.text(result.reason or "")
        changes: Mapping[str, Any] = {"result": result.model_copy(update={"reason": reason})}
        status = JobStatus.SUCCEEDED
    except (ModelError, NothingPublished) as error:
        changes = {"error": Failure(type=type(error).__name__, message=redaction.text(str(error)))}
        status = JobStatus.FAILED
    store.show(parent, pipeline_progress(steps, now=datetime.now(UTC)))
    return walk(store, parent, status, changes)


def _result(parent: JobRecord, steps: Sequence[JobRecord], registry: Registry) -> JobResult:
    assert isinstance(parent.config, PipelineConfig)
    by_step = {step.step: step.result or JobResult() for step in steps}
    published = by_step[PipelineStep.EXPORT]
    if published.model is None or published.version is None:
        raise NothingPublished(f"step {PipelineStep.EXPORT} ended without a version of a model")
    name, version = published.model, published.version
    verdict = promote(registry, parent.config.promotion, name=name, version=version)
    figures = by_step[PipelineStep.EVALUATE].summary.get("evaluations", [])
    return JobResult(
        model=name,
        version=version,
        promoted=verdict.promoted,
        reason=verdict.reason,
        summary={"evaluations": figures},
    )
