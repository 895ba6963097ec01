"""The training loop that every recipe shares: epochs, checkpoints, stopping, resuming."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Generic, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from training.checkpoint import Position, restore_checkpoint, save_checkpoint, save_weights
from training.compute import Compute
from training.config.optimization import CosineSchedule, StepSchedule
from training.data.skipping import Delivered
from training.errors import TrainingError
from training.journal import Journal
from training.optimizers import set_learning_rate
from training.run import RunFolder
from training.schedules import learning_rate_factor
from training.stages import Watch
from training.stepper import HasLosses, Stepper
from training.stopping import Stopped, StopRequest

B = TypeVar("B")
T = TypeVar("T")

_GO_ON = "run the same command again to go on"


class Diverged(TrainingError):
    """The loss is no longer a number; lower the learning rate. The last checkpoint is kept."""


class TooManyUnreadable(TrainingError):
    """More images cannot be read than the configuration tolerates."""


class _StoppedValidating(Exception):
    """A stop was asked for between two batches of a validation."""


class Validation(NamedTuple):
    """What a network is worth after an epoch."""

    metrics: dict[str, float]
    score: float
    """Higher is better; selects the weights that are kept."""

    panels: Mapping[str, Tensor] = MappingProxyType({})
    """Pictures, 3,H,W in [0, 1], of what the network does; by name."""


class Learner(HasLosses[B], Protocol[B]):
    """What a recipe trains: a network, its batches, its losses, and how it is judged."""

    @property
    def kept(self) -> nn.Module:
        """The part of the network that outlives the run, with its best weights."""
        ...

    @property
    def steps_per_epoch(self) -> int: ...

    def start_epoch(self) -> None:
        """Put the network into training mode."""
        ...

    def batches(self, epoch: int, first_step: int) -> Iterable[Delivered[B]]:
        """The batches of `epoch` from `first_step` on, each in the parts the plan asks for."""
        ...

    def validate(self, watch: Watch) -> Validation:
        """Judge the network on validation data; every batch comes through `watch`."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to train, how the learning rate moves, how often to save."""

    epochs: int
    schedule: StepSchedule | CosineSchedule
    checkpoint_every_s: float
    accumulate: int = 1
    max_unreadable: int = 0


class Loop(Generic[B]):
    """One run of a learner, from its last checkpoint to its last epoch."""

    def __init__(
        self,
        learner: Learner[B],
        optimizer: Optimizer,
        *,
        plan: Plan,
        compute: Compute,
        run: RunFolder,
        stop: StopRequest,
    ) -> None:
        self._learner, self._optimizer = learner, optimizer
        self._plan, self._compute, self._ranks = plan, compute, compute.ranks
        self._run, self._stop = run, stop
        self._stepper = Stepper(learner, optimizer, compute=compute)
        self._journal = Journal(
            run,
            epochs=plan.epochs,
            steps=learner.steps_per_epoch,
            processes=compute.ranks.count,
        )
        self._position = Position()
        self._saved_at = time.monotonic()
        self._unreadable: set[str] = set()

    def fit(self) -> Position:
        """Train to the end; raises Stopped after a checkpoint when asked to stop, or Diverged."""
        self._resume()
        with self._journal.opened(self._position):
            while self._position.epoch < self._plan.epochs:
                self._train_epoch()
                self._end_epoch()
        return self._position

    def _resume(self) -> None:
        if not self._ranks.is_first:
            torch.manual_seed(torch.initial_seed() + self._ranks.rank)  # no two drop out alike
        path = self._run.last_checkpoint
        if path.exists():
            self._position = restore_checkpoint(
                path, self._learner.network, self._optimizer, rank=self._ranks.rank
            )
            self._run.event("resumed", epoch=self._position.epoch, step=self._position.step)

    def _train_epoch(self) -> None:
        position, steps = self._position, self._learner.steps_per_epoch
        self._learner.start_epoch()
        if position.step >= steps:
            return  # stopped between an epoch's last step and its validation
        delivered = iter(self._learner.batches(position.epoch, position.step))
        with self._journal.epoch(position):
            for parts in _in_groups(delivered, self._plan.accumulate):
                rate = self._step([part.batch for part in parts])
                images = sum(part.images for part in parts)
                self._journal.stepped(position, images=images, learning_rate=rate)
                self._count_skipped(reason for part in parts for reason in part.skipped)
                self._save_if_due()

    def _step(self, parts: list[B]) -> float:
        """Take one step; returns its learning rate."""
        position, steps = self._position, self._learner.steps_per_epoch
        factor = learning_rate_factor(
            self._plan.schedule,
            position.epoch * steps + position.step,
            steps_per_epoch=steps,
            epochs=self._plan.epochs,
        )
        rate = set_learning_rate(self._optimizer, factor)
        losses = self._stepper.gradients(parts)
        if not all(map(math.isfinite, losses.values())):
            raise Diverged(
                f"the loss became {losses} in epoch {position.epoch + 1}, step {position.step + 1};"
                " lower the learning rate. The last checkpoint is kept"
            )
        self._stepper.move_weights()
        for name, loss in losses.items():
            position.losses[name] = position.losses.get(name, 0.0) + loss
        position.step += 1
        return rate

    def _end_epoch(self) -> None:
        position, steps = self._position, self._learner.steps_per_epoch
        self._check_weights()
        means = {name: total / steps for name, total in position.losses.items()}
        judged = self._judged(means) if self._ranks.is_first else None
        if self._ranks.any(self._ranks.is_first and judged is None, device=self._compute.device):
            self._save()
            raise Stopped(f"stopped in the validation of epoch {position.epoch + 1}; {_GO_ON}")
        position.epoch, position.step, position.losses = position.epoch + 1, 0, {}
        if judged is not None:
            self._record(means, judged)
        self._save()
        stopping = self._ranks.any(self._stop.requested, device=self._compute.device)
        if stopping and position.epoch < self._plan.epochs:
            raise Stopped(f"stopped after epoch {position.epoch}; {_GO_ON}")

    def _judged(self, train: dict[str, float]) -> Validation | None:
        """None where a stop was asked for before the end."""
        self._run.metrics(epoch=self._position.epoch + 1, step=0, part="train", metrics=train)
        try:
            return self._learner.validate(self._until_stopped)
        except _StoppedValidating:
            return None

    def _until_stopped(self, stage: str, items: Iterable[T], *, steps: int) -> Iterator[T]:
        for item in self._journal.watched(stage, items, steps=steps, position=self._position):
            if self._stop.requested:
                raise _StoppedValidating
            yield item

    def _record(self, train: dict[str, float], judged: Validation) -> None:
        position, (metrics, score, panels) = self._position, judged
        self._run.metrics(epoch=position.epoch, step=0, part="val", metrics=metrics)
        if position.best_score is None or score > position.best_score:
            position.best_score, position.best_epoch = score, position.epoch
            note = {"epoch": position.epoch, "score": score, "metrics": metrics}
            save_weights(
                self._run.best_weights, self._learner.kept, note=note, fence=self._run.fence
            )
        self._journal.ended(position, train=train, val=metrics, score=score)
        self._journal.show(panels, position)

    def _save_if_due(self) -> None:
        due = time.monotonic() - self._saved_at >= self._plan.checkpoint_every_s
        if not self._ranks.any(due or self._stop.requested, device=self._compute.device):
            return
        self._save()
        if self._ranks.any(self._stop.requested, device=self._compute.device):
            raise Stopped(
                f"stopped in epoch {self._position.epoch + 1} after step {self._position.step}; "
                f"{_GO_ON}"
            )

    def _count_skipped(self, reasons: Iterable[str]) -> None:
        """Tell of each unreadable image once; raises TooManyUnreadable."""
        for reason in reasons:
            if reason not in self._unreadable:
                self._unreadable.add(reason)
                self._journal.skipped(reason, count=len(self._unreadable))
        if len(self._unreadable) > self._plan.max_unreadable:
            raise TooManyUnreadable(
                f"{len(self._unreadable)} images cannot be read, at most "
                f"{self._plan.max_unreadable} are tolerated (max_unreadable); among them: "
                f"{min(self._unreadable)}"
            )

    def _check_weights(self) -> None:
        """A finite loss can have an infinite gradient: such weights must not reach a file."""
        state = self._learner.network.state_dict().values()
        if not all(bool(torch.isfinite(value).all()) for value in state):
            raise Diverged(
                f"the weights are no longer finite in epoch {self._position.epoch + 1} after step "
                f"{self._position.step}; lower the learning rate. The last checkpoint is kept"
            )

    def _save(self) -> None:
        self._check_weights()
        for reasons in self._ranks.gathered(sorted(self._unreadable)):
            self._count_skipped(reasons)
        save_checkpoint(
            self._run.last_checkpoint,
            self._learner.network,
            self._optimizer,
            position=self._position,
            ranks=self._ranks,
            fence=self._run.fence,
        )
        self._saved_at = time.monotonic()


def _in_groups(items: Iterator[Delivered[B]], size: int) -> Iterator[list[Delivered[B]]]:
    while group := list(islice(items, size)):
        yield group
