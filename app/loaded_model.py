"""A model that answers: where its graph runs, and how images reach it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from app.errors import ModelNotServable
from app.inference.batching import Batcher, Pixels
from app.settings import Settings
from models.bundle import Bundle
from models.manifest import Manifest, Precision
from models.runtime import Arrays, Provider, Session
from models.selection import open_session

_RESERVE = 16 * 1024 * 1024
_COPIES = 3
"""Measured: a loaded graph takes three times its file, and some megabytes for a run's arrays."""


class Runner(Protocol):
    """What has the graph."""

    def run(self, pixels: Pixels, names: Sequence[str]) -> Arrays:
        """One image's named arrays, without the batch axis, for `pixels` 3,H,W."""

    def close(self) -> None:
        """Nobody new will ask; who still does is answered."""


@dataclass(frozen=True, slots=True)
class Alone:
    """Runs each image by itself and at once, in the thread that asks."""

    session: Session

    def run(self, pixels: Pixels, names: Sequence[str]) -> Arrays:
        """One image's named arrays, without the batch axis, for `pixels` 3,H,W."""
        found = self.session.run(pixels[None], names)
        return {name: array[0] for name, array in found.items()}

    def close(self) -> None:
        """The session goes with its last user."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class LoadedModel:
    """Safe to use from several threads, and for as long as it is held."""

    bundle: Bundle
    """The bundle on disk; it may have been deleted meanwhile."""

    precision: Precision
    provider: Provider
    runner: Runner | None
    """None where it runs in other processes, whose number is `copies`."""

    copies: int = 1

    @classmethod
    def of(cls, session: Session, runner: Runner | None = None) -> Self:
        """A session of this process; without a `runner` each image runs alone."""
        return cls(session.bundle, session.precision, session.provider, runner or Alone(session))

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self.bundle.manifest

    @property
    def memory_bytes(self) -> int:
        """About how much memory it takes."""
        return self.copies * (_RESERVE + _COPIES * self.bundle.graph(self.precision).size)

    def run(self, pixels: Pixels, names: Sequence[str]) -> Arrays:
        """One image's named arrays, without the batch axis; `pixels` 3,H,W pre-processed."""
        assert self.runner is not None, f"{self.bundle.label} runs in other processes"
        arrays = self.runner.run(pixels, names)
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ModelNotServable(f"{self.bundle.label} gave scores that are not finite numbers")
        return arrays

    def close(self) -> None:
        """Nobody new will ask; who still does is answered."""
        if self.runner is not None:
            self.runner.close()


def opener(settings: Settings) -> Callable[[Path], LoadedModel]:
    """What opens, checks and warms up the bundle at a path, in this process; raises ModelError."""

    def opened(path: Path) -> LoadedModel:
        session = open_session(
            Bundle.open(path),
            settings.precision,
            provider=settings.provider,
            threads=settings.threads,
        )
        if session.provider is Provider.CPU:  # batches give a CPU almost nothing
            return LoadedModel.of(session)
        session.warm_up(settings.batch_size)
        age_s = settings.batch_age_ms / 1000
        return LoadedModel.of(session, Batcher(session.run, size=settings.batch_size, age_s=age_s))

    return opened
