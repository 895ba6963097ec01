"""A pipeline's record follows its steps, by legal moves, as far as it can without promotion."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from worker.actions import CANCEL, take
from worker.jobs import Failure, JobRecord
from worker.pipeline_state import derived, is_doomed, route
from worker.status import ENDED, ForbiddenMove, JobStatus
from worker.store import JobStore

STEP_FAILED = "StepFailed"
"""Type of the error of a pipeline that ends because a step of it failed."""


def follow(store: JobStore, parent_id: str) -> JobRecord:
    """The pipeline's record where its steps put it; what cannot succeed any more is cancelled.

    Once all steps have succeeded it stays as it is: `pipelines.advance` promotes and ends it.
    """
    while True:
        parent, steps = store.get(parent_id), store.children(parent_id)
        if parent.status not in ENDED and is_doomed(parent.status, steps):
            steps = _cancelled(store, parent, steps)
        wanted = derived(parent.status, steps)
        if wanted in (parent.status, JobStatus.SUCCEEDED):
            return parent
        reason = _reason(steps) if wanted is JobStatus.FAILED else {}
        walk(store, parent, wanted, reason)


def walk(
    store: JobStore, parent: JobRecord, wanted: JobStatus, changes: Mapping[str, Any]
) -> JobRecord | None:
    """The record after its moves to `wanted`, `changes` made with the last; None where it changed.

    What was seen of the steps counts only for the very record that was read before them.
    """
    current = parent
    *between, last = route(parent.status, wanted)
    for status in between:
        moved = store.move_from(current, status)
        if moved is None:
            return None
        current = moved
    return store.move_from(current, last, **changes)


def _cancelled(
    store: JobStore, parent: JobRecord, steps: Sequence[JobRecord]
) -> tuple[JobRecord, ...]:
    """The steps after those that could go on were cancelled."""
    for step in steps:
        if step.status in CANCEL.moves:
            with suppress(ForbiddenMove):  # it ended meanwhile
                take(store, step.id, CANCEL)
    return store.children(parent.id)


def _reason(steps: Sequence[JobRecord]) -> dict[str, Any]:
    failed = (step for step in steps if step.status is JobStatus.FAILED)
    said = (
        f"step {step.step} failed: {step.error.message if step.error else 'it gave no reason'}"
        for step in failed
    )
    return {"error": Failure(type=STEP_FAILED, message="; ".join(said))}
