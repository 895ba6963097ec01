"""Where a pipeline stands, told from where its steps stand. Data in, a state out."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from worker.status import ENDED, MOVES, JobStatus

_STOPPED = frozenset({JobStatus.PAUSING, JobStatus.PAUSED})
_DOOM = frozenset({JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.CANCELLING})


class StepState(Protocol):
    """What counts of a step; `depends_on` may name jobs of other pipelines too."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> JobStatus: ...
    @property
    def depends_on(self) -> tuple[str, ...]: ...


def derived(parent: JobStatus, steps: Sequence[StepState]) -> JobStatus:
    """The state that a pipeline in state `parent` belongs into.

    SUCCEEDED means that all steps did: promotion is still to come. A pipeline that has ended
    stays as it is, whatever becomes of its steps.
    """
    statuses = {step.status for step in steps}
    if parent in ENDED:
        return parent
    if statuses <= ENDED:
        return _end(parent, statuses)
    if JobStatus.FAILED in statuses and parent is not JobStatus.CANCELLING:
        # It fails once the others have ended too.
        return JobStatus.RUNNING if parent is JobStatus.QUEUED else parent
    if is_doomed(parent, steps):
        return JobStatus.CANCELLING
    return _going(parent, steps)


def is_doomed(parent: JobStatus, steps: Sequence[StepState]) -> bool:
    """Whether the pipeline can no longer succeed, so that what is left of it is cancelled."""
    return parent is JobStatus.CANCELLING or any(step.status in _DOOM for step in steps)


def route(current: JobStatus, wanted: JobStatus) -> tuple[JobStatus, ...]:
    """The fewest legal moves from one state to another, not by way of an ended one."""
    paths: list[tuple[JobStatus, ...]] = [()]
    for path in paths:  # it grows: breadth first
        here = path[-1] if path else current
        if here is wanted:
            return path
        if here in ENDED and path:
            continue
        paths += [(*path, move) for move in sorted(MOVES[here]) if move not in path]
    raise ValueError(f"no moves lead from {current} to {wanted}")


def _end(parent: JobStatus, statuses: set[JobStatus]) -> JobStatus:
    if parent is JobStatus.CANCELLING:
        return JobStatus.CANCELLED
    return next(
        status
        for status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.SUCCEEDED)
        if status in statuses
    )


def _going(parent: JobStatus, steps: Sequence[StepState]) -> JobStatus:
    statuses = {step.status for step in steps}
    if JobStatus.RUNNING in statuses:
        return JobStatus.RUNNING
    if any(step.status is JobStatus.QUEUED and not _held_up(step, steps) for step in steps):
        return JobStatus.RUNNING if parent is JobStatus.RUNNING else JobStatus.QUEUED
    return JobStatus.PAUSING if JobStatus.PAUSING in statuses else JobStatus.PAUSED


def _held_up(step: StepState, steps: Sequence[StepState]) -> bool:
    """Whether it waits for a step that was stopped."""
    return any(before.status in _STOPPED for before in _before(step, steps))


def _before(step: StepState, steps: Sequence[StepState]) -> Iterator[StepState]:
    """All steps that have to end before `step` starts."""
    for other in steps:
        if other.id in step.depends_on:
            yield other
            yield from _before(other, steps)
