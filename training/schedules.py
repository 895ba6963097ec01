"""Learning rates as functions of the step alone, so that there is no scheduler state to restore."""

import math

from training.config.optimization import CosineSchedule, StepSchedule


def learning_rate_factor(
    schedule: StepSchedule | CosineSchedule, step: int, *, steps_per_epoch: int, epochs: int
) -> float:
    """What the configured learning rate is multiplied by at `step` (counted over all epochs)."""
    warmup = round(schedule.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return (step + 1) / warmup
    match schedule:
        case StepSchedule():
            drops = step // steps_per_epoch // schedule.every_epochs
            return float(schedule.factor**drops)
        case CosineSchedule():
            done = (step - warmup) / max(1, steps_per_epoch * epochs - warmup)
            wave = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
            return schedule.final_fraction + (1 - schedule.final_fraction) * wave
