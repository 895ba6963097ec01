"""The training loop that every recipe shares: steps, progress, checkpoints, stopping, resuming."""

import math
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from training.checkpoint import Position, restore_checkpoint, save_checkpoint, save_weights
from training.compute import Compute
from training.config import CosineSchedule, StepSchedule
from training.data.labelled import Batch
from training.errors import TrainingError
from training.optimizers import set_learning_rate
from training.run import RunFolder
from training.schedules import learning_rate_factor
from training.stopping import Stopped, StopRequest

_EVENT_EVERY_S = 5.0


class Diverged(TrainingError):
    """The loss is no longer a number; lower the learning rate. The last checkpoint is kept."""


class Learner(Protocol):
    """What a recipe trains: a network, its batches, its losses, and how it is judged."""

    @property
    def network(self) -> nn.Module: ...

    @property
    def steps_per_epoch(self) -> int: ...

    def batches(self, epoch: int, first_step: int) -> Iterable[Batch]:
        """The batches of `epoch`, from `first_step` on."""
        ...

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The named terms of the loss, already weighted; their sum is minimised."""
        ...

    def validate(self) -> tuple[dict[str, float], float]:
        """Metrics on validation data, and the score (higher is better) that selects weights."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to train, how the learning rate moves, how often to save."""

    epochs: int
    schedule: StepSchedule | CosineSchedule
    checkpoint_every_s: float


class Loop:
    """One run of a learner, from its last checkpoint to its last epoch."""

    def __init__(
        self,
        learner: Learner,
        optimizer: Optimizer,
        *,
        plan: Plan,
        compute: Compute,
        run: RunFolder,
        stop: StopRequest,
    ) -> None:
        self._learner, self._optimizer = learner, optimizer
        self._plan, self._compute = plan, compute
        self._run, self._stop = run, stop
        self._position = Position()
        self._saved_at = time.monotonic()
        self._reported_at = 0.0

    def fit(self) -> Position:
        """Train to the end; raises Stopped after a checkpoint when asked to stop, or Diverged."""
        self._resume()
        while self._position.epoch < self._plan.epochs:
            self._train_epoch()
            self._end_epoch()
        return self._position

    def _resume(self) -> None:
        path = self._run.last_checkpoint
        if path.exists():
            self._position = restore_checkpoint(path, self._learner.network, self._optimizer)
            self._run.event("resumed", epoch=self._position.epoch, step=self._position.step)
        self._run.drop_metrics_after(self._position.epoch, self._position.step)

    def _train_epoch(self) -> None:
        position, steps = self._position, self._learner.steps_per_epoch
        first = position.step
        self._learner.network.train()
        if first >= steps:
            return  # stopped between an epoch's last step and its validation
        loader = self._learner.batches(position.epoch, first)
        title = f"epoch {position.epoch + 1}/{self._plan.epochs}"
        with tqdm(total=steps, initial=first, desc=title, unit="step") as bar:
            started, images = time.monotonic(), 0
            for batch in loader:
                self._step(batch)
                images += len(batch.images)
                bar.set_postfix({k: f"{v / position.step:.4f}" for k, v in position.losses.items()})
                bar.update()
                taken = position.step - first
                self._report(images / (time.monotonic() - started), images / taken)
                self._save_if_due()

    def _step(self, batch: Batch) -> None:
        position, steps = self._position, self._learner.steps_per_epoch
        factor = learning_rate_factor(
            self._plan.schedule,
            position.epoch * steps + position.step,
            steps_per_epoch=steps,
            epochs=self._plan.epochs,
        )
        set_learning_rate(self._optimizer, factor)
        batch = self._compute.move(batch)
        with self._compute.autocast():
            losses = self._learner.losses(batch)
        total = torch.stack(list(losses.values())).sum()
        if not math.isfinite(float(total.detach())):
            terms = {name: float(loss.detach()) for name, loss in losses.items()}
            raise Diverged(
                f"the loss became {terms} in epoch {position.epoch + 1}, step {position.step + 1}; "
                "lower the learning rate. The last checkpoint is kept"
            )
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        for name, loss in losses.items():
            position.losses[name] = position.losses.get(name, 0.0) + float(loss.detach())
        position.step += 1

    def _end_epoch(self) -> None:
        position, steps = self._position, self._learner.steps_per_epoch
        self._check_weights()
        means = {name: total / steps for name, total in position.losses.items()}
        self._run.metrics(epoch=position.epoch + 1, step=0, part="train", metrics=means)
        metrics, score = self._learner.validate()
        self._run.metrics(epoch=position.epoch + 1, step=0, part="val", metrics=metrics)
        position.epoch, position.step, position.losses = position.epoch + 1, 0, {}
        if position.best_score is None or score > position.best_score:
            position.best_score, position.best_epoch = score, position.epoch
            note = {"epoch": position.epoch, "score": score, "metrics": metrics}
            save_weights(self._run.best_weights, self._learner.network, note=note)
        self._save()
        self._run.event("epoch", epoch=position.epoch, train=means, val=metrics, score=score)
        shown = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        tqdm.write(f"epoch {position.epoch}: {shown}", file=sys.stderr)
        if self._stop.requested and position.epoch < self._plan.epochs:
            raise Stopped(f"stopped after epoch {position.epoch}; run again to go on")

    def _save_if_due(self) -> None:
        if self._stop.requested:
            self._save()
            raise Stopped(
                f"stopped in epoch {self._position.epoch + 1} after step {self._position.step}; "
                "run the same command again to go on"
            )
        if time.monotonic() - self._saved_at >= self._plan.checkpoint_every_s:
            self._save()

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
        save_checkpoint(
            self._run.last_checkpoint,
            self._learner.network,
            self._optimizer,
            position=self._position,
        )
        self._saved_at = time.monotonic()

    def _report(self, images_per_second: float, images_per_step: float) -> None:
        now = time.monotonic()
        if now - self._reported_at < _EVENT_EVERY_S:
            return
        self._reported_at = now
        position, steps = self._position, self._learner.steps_per_epoch
        total = steps * self._plan.epochs
        done = position.epoch * steps + position.step
        self._run.event(
            "progress",
            epoch=position.epoch + 1,
            epochs=self._plan.epochs,
            step=position.step,
            steps=steps,
            fraction=round(done / total, 6),
            images_per_second=round(images_per_second, 2),
            eta_seconds=round((total - done) * images_per_step / images_per_second, 1),
        )
