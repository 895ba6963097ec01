"""How far a pipeline is, and how long it still takes, told from its steps alone."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.worker.pipeline_jobs import STEPS, pipeline_spec
from worker.expansion import expand
from worker.jobs import JobRecord, Progress
from worker.pipeline_progress import WEIGHTS, pipeline_progress
from worker.status import JobStatus

S = JobStatus


def test_the_weights_of_the_steps_make_a_whole() -> None:
    assert set(WEIGHTS) == set(STEPS)
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def timed(record: JobRecord, status: JobStatus, seconds: float, progress: Progress) -> JobRecord:
    """A step that started so long ago."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ended = now if status is S.SUCCEEDED else None
    return record.evolve(
        status=status,
        started_at=now - timedelta(seconds=seconds),
        finished_at=ended,
        progress=progress,
    )


def test_time_left_is_told_by_the_pace_so_far() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    _, stimuli, organizing, *rest = expand(pipeline_spec())
    assert pipeline_progress([stimuli, organizing, *rest], now=now).eta_seconds is None
    stimuli = timed(stimuli, S.SUCCEEDED, 24, Progress())  # 100 s for a weight of 1
    half = timed(organizing, S.RUNNING, 10, Progress(fraction=0.5))
    found = pipeline_progress([stimuli, half, *rest], now=now)
    assert found.eta_seconds == pytest.approx(10 + 20 + 36)
    surer = timed(organizing, S.RUNNING, 10, Progress(fraction=0.5, eta_seconds=15))
    found = pipeline_progress([stimuli, surer, *rest], now=now)
    assert found.eta_seconds == pytest.approx(15 + 20 + 36)


def test_time_left_counts_steps_side_by_side_once() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    _, *children = expand(pipeline_spec())
    running = [
        timed(child, S.RUNNING, 12, Progress(fraction=0.5, eta_seconds=eta))
        for child, eta in zip(children[:3], (12, 12, 30), strict=True)
    ]
    pace = 36 / (0.5 * 0.64)
    found = pipeline_progress([*running, *children[3:]], now=now)
    assert found.eta_seconds == pytest.approx(30 + 0.36 * pace, abs=0.1)


def test_a_pipeline_at_rest_has_no_time_left_to_tell() -> None:
    _, *children = expand(pipeline_spec())
    done = timed(children[0], S.SUCCEEDED, 24, Progress())
    found = pipeline_progress([done, *children[1:]], now=datetime(2026, 1, 1, tzinfo=UTC))
    assert (found.stage, found.eta_seconds) == (None, None)
