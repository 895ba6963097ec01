"""How far a pipeline is, told from how far its steps are."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from training.config.pipeline import PipelineStep
from worker.jobs import JobRecord, Progress
from worker.status import JobStatus

WEIGHTS: Mapping[PipelineStep, float] = {
    PipelineStep.STIMULI: 0.24,
    PipelineStep.ORGANIZING: 0.20,
    PipelineStep.PERCEIVING: 0.20,
    PipelineStep.AMALGAMATE: 0.28,
    PipelineStep.EVALUATE: 0.02,
    PipelineStep.EXPORT: 0.06,
}
"""Each step's share of the whole, about as long as they take; sums to 1."""

_AT_WORK = frozenset({JobStatus.RUNNING, JobStatus.PAUSING, JobStatus.CANCELLING})
_MEASURED = _AT_WORK | {JobStatus.SUCCEEDED}


def pipeline_progress(steps: Sequence[JobRecord], *, now: datetime) -> Progress:
    """Fraction over all steps by weight, the names of those at work, and seconds still to go."""
    working = [step for step in steps if step.status in _AT_WORK]
    return Progress(
        stage=", ".join(step.step or step.id for step in working) or None,
        fraction=round(sum(_weight(step) * _fraction(step) for step in steps), 6),
        eta_seconds=_eta(steps, now),
    )


def _eta(steps: Sequence[JobRecord], now: datetime) -> float | None:
    """None until a step has shown how long a part of the work takes, and while none works.

    Steps without dependencies share the workers at work now; the others come one after another.
    """
    width = sum(step.status in _AT_WORK for step in steps)
    pace = _seconds_per_weight(steps, now)
    if not width or pace is None:
        return None
    side_by_side = [_left(step, pace) for step in steps if not step.depends_on]
    in_turn = [_left(step, pace) for step in steps if step.depends_on]
    return round(max(sum(side_by_side) / width, *side_by_side, 0.0) + sum(in_turn), 1)


def _left(step: JobRecord, pace: float) -> float:
    """Seconds until a step is done: as it says itself, else by the pace of the others."""
    if step.status in _AT_WORK and step.progress.eta_seconds is not None:
        return step.progress.eta_seconds
    return _weight(step) * (1 - _fraction(step)) * pace


def _seconds_per_weight(steps: Sequence[JobRecord], now: datetime) -> float | None:
    measured = [
        (((step.finished_at or now) - step.started_at).total_seconds(), _weight(step) * done)
        for step in steps
        if step.started_at and (done := _fraction(step)) and step.status in _MEASURED
    ]
    weight = sum(weight for _, weight in measured)
    return sum(seconds for seconds, _ in measured) / weight if weight else None


def _fraction(step: JobRecord) -> float:
    return 1.0 if step.status is JobStatus.SUCCEEDED else step.progress.fraction or 0.0


def _weight(step: JobRecord) -> float:
    return WEIGHTS[PipelineStep(step.step or "")]
