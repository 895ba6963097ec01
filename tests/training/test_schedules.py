"""The learning rate as a function of the step, against values worked out by hand."""

import pytest

from training.config.optimization import CosineSchedule, StepSchedule
from training.schedules import learning_rate_factor

Schedule = StepSchedule | CosineSchedule


def factors(schedule: Schedule, *, steps_per_epoch: int, epochs: int) -> list[float]:
    return [
        learning_rate_factor(schedule, step, steps_per_epoch=steps_per_epoch, epochs=epochs)
        for step in range(steps_per_epoch * epochs)
    ]


@pytest.mark.parametrize("schedule", [StepSchedule(), CosineSchedule()])
def test_without_warm_up_the_first_step_has_the_whole_rate(schedule: Schedule) -> None:
    assert factors(schedule, steps_per_epoch=5, epochs=3)[0] == 1


@pytest.mark.parametrize(
    "schedule", [StepSchedule(warmup_epochs=1), CosineSchedule(warmup_epochs=1)]
)
def test_warm_up_rises_in_equal_steps_to_the_whole_rate(schedule: Schedule) -> None:
    assert factors(schedule, steps_per_epoch=4, epochs=3)[:5] == [0.25, 0.5, 0.75, 1, 1]


def test_warm_up_may_last_a_part_of_an_epoch() -> None:
    schedule = StepSchedule(warmup_epochs=0.5)
    assert factors(schedule, steps_per_epoch=4, epochs=1) == [0.5, 1, 1, 1]


def test_the_step_schedule_drops_after_every_so_many_epochs() -> None:
    schedule = StepSchedule(every_epochs=2, factor=0.1)
    found = factors(schedule, steps_per_epoch=2, epochs=5)
    assert found == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        (4, 1.0),
        (8, 0.2 + 0.8 * (1 + 0.5**0.5) / 2),  # a quarter of the way: cos 45 degrees
        (12, 0.6),
        (20, 0.2),
    ],
)
def test_the_cosine_falls_from_the_end_of_warm_up_to_its_final_fraction(
    step: int, factor: float
) -> None:
    schedule = CosineSchedule(warmup_epochs=1, final_fraction=0.2)
    found = learning_rate_factor(schedule, step, steps_per_epoch=4, epochs=5)
    assert found == pytest.approx(factor)


def test_the_cosine_never_rises_again() -> None:
    found = factors(CosineSchedule(final_fraction=0.05), steps_per_epoch=7, epochs=3)
    assert found == sorted(found, reverse=True)
    assert found[-1] > 0.05
