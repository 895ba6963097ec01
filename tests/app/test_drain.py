import pytest

from app.drain import DrainRate


class Clock:
    """Time that a test moves on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _busy(clock: Clock, *, jobs: int, each_s: float) -> DrainRate:
    rate = DrainRate(clock)
    rate.begin()
    for _ in range(jobs):
        clock.now += each_s
        rate.count()
    return rate


@pytest.mark.parametrize(("jobs", "seconds"), [(1, 1), (4, 1), (5, 2), (256, 64), (0, 1)])
def test_time_is_that_of_the_jobs_at_the_pace_of_those_before(jobs: int, seconds: int) -> None:
    assert _busy(Clock(), jobs=10, each_s=0.25).whole_seconds(jobs) == seconds


def test_nothing_measured_is_a_second() -> None:
    rate = DrainRate(Clock())
    assert rate.whole_seconds(1000) == 1
    rate.begin()
    assert rate.whole_seconds(1000) == 1


def test_only_the_latest_jobs_count() -> None:
    clock = Clock()
    rate = _busy(clock, jobs=100, each_s=10)
    for _ in range(64):
        clock.now += 0.5
        rate.count()
    assert rate.whole_seconds(100) == 50


def test_a_pause_before_the_queue_was_busy_does_not_count() -> None:
    clock = Clock()
    rate = _busy(clock, jobs=10, each_s=0.5)
    clock.now += 1000
    rate.begin()
    clock.now += 0.5
    rate.count()
    assert rate.whole_seconds(10) == 5


def test_pace_falls_while_nothing_gets_done() -> None:
    clock = Clock()
    rate = _busy(clock, jobs=10, each_s=0.5)
    clock.now += 5
    assert rate.whole_seconds(10) == 10
