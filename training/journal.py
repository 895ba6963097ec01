"""What a run tells while it goes on: a bar, events, metrics, and pictures for TensorBoard."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torchvision.io import encode_png
from tqdm import tqdm

from training.checkpoint import Position
from training.run import RunFolder

T = TypeVar("T")

_EVENT_EVERY_S = 5.0


@dataclass(slots=True)
class _Pace:
    """Steps and images since an epoch was begun, or gone on with, in this process."""

    started: float = field(default_factory=time.monotonic)
    steps: int = 0
    images: int = 0

    def figures(self, *, remaining: int) -> dict[str, float]:
        """Images a second, and seconds for the remaining steps; nothing before the first step."""
        if self.steps == 0:
            return {}
        elapsed = max(time.monotonic() - self.started, 1e-9)
        return {
            "images_per_second": round(self.images / elapsed, 2),
            "eta_seconds": round(remaining * elapsed / self.steps, 1),
        }


class Journal:
    """Tells of one run of `epochs` times `steps`; `processes` train in step with this one."""

    def __init__(self, run: RunFolder, *, epochs: int, steps: int, processes: int) -> None:
        self._run = run
        self._epochs, self._steps, self._processes = epochs, steps, processes
        self._writer: SummaryWriter | None = None
        self._pace = _Pace()
        self._bar: Any = None
        self._reported_at = 0.0

    @contextmanager
    def opened(self, position: Position) -> Iterator[None]:
        """Keep the files open; what was told beyond `position` before an interruption is void."""
        at = position.epoch * self._steps + position.step
        self._run.drop_metrics_after(position.epoch, position.step)
        self._writer = SummaryWriter(str(self._run.path / "tensorboard"), purge_step=at)
        try:
            yield
        finally:
            self._writer.close()

    @contextmanager
    def epoch(self, position: Position) -> Iterator[None]:
        """Show a bar for the rest of an epoch."""
        self._pace = _Pace()
        title = f"epoch {position.epoch + 1}/{self._epochs}"
        with tqdm(total=self._steps, initial=position.step, desc=title, unit="step") as self._bar:
            yield

    def stepped(self, position: Position, *, images: int, learning_rate: float) -> None:
        """A step was taken over `images` images of this process."""
        self._pace.steps += 1
        self._pace.images += images * self._processes
        means = {name: total / position.step for name, total in position.losses.items()}
        self._bar.set_postfix({name: f"{mean:.4f}" for name, mean in means.items()}, refresh=False)
        self._bar.update()
        if self._is_due():
            self._progress(position, stage="training", step=position.step, steps=self._steps)
            self._scalars("train", {**means, "learning_rate": learning_rate}, position)

    def skipped(self, reason: str, *, count: int) -> None:
        """An image could not be read, the `count`-th in this process."""
        self._run.event("unreadable_image", reason=reason, count=count)
        tqdm.write(f"skipped: {reason}", file=sys.stderr)

    def ended(
        self, position: Position, *, train: dict[str, float], val: dict[str, float], score: float
    ) -> None:
        """An epoch ended, and `position` is at the start of the next."""
        self._run.event("epoch", epoch=position.epoch, train=train, val=val, score=score)
        self._scalars("val", val, position)
        figures = "  ".join(f"{name} {value:.4f}" for name, value in val.items())
        tqdm.write(f"epoch {position.epoch}: {figures}", file=sys.stderr)

    def show(self, panels: Mapping[str, Tensor], position: Position) -> None:
        """Pictures (3,H,W in [0, 1]) of what the network makes of some images.

        TensorBoard has those of every epoch, the run's folder the newest as PNG files.
        """
        assert self._writer is not None
        for name, panel in panels.items():
            self._writer.add_image(name, panel, self._at(position))
            pixels = panel.mul(255).round().to(torch.uint8)
            self._run.picture(name, encode_png(pixels).numpy().tobytes())

    def watched(
        self, stage: str, items: Iterable[T], *, steps: int, position: Position
    ) -> Iterator[T]:
        """The `steps` items of a stage between the steps of training, at `position`."""
        for done, item in enumerate(items):
            if self._is_due():
                self._progress(position, stage=stage, step=done, steps=steps)
            yield item

    def _is_due(self) -> bool:
        now = time.monotonic()
        due = now - self._reported_at >= _EVENT_EVERY_S
        if due:
            self._reported_at = now
        return due

    def _progress(self, position: Position, *, stage: str, step: int, steps: int) -> None:
        """`step` of the steps of `stage` are done; the other figures are the whole run's."""
        total, done = self._steps * self._epochs, self._at(position)
        self._run.event(
            "progress",
            stage=stage,
            epoch=position.epoch + 1,
            epochs=self._epochs,
            step=step,
            steps=steps,
            fraction=round(done / total, 6),
            **self._pace.figures(remaining=total - done),
        )

    def _scalars(self, part: str, values: Mapping[str, float], position: Position) -> None:
        assert self._writer is not None
        for name, value in values.items():
            self._writer.add_scalar(f"{part}/{name}", value, self._at(position))

    def _at(self, position: Position) -> int:
        return position.epoch * self._steps + position.step
