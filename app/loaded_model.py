"""A model that answers: its session, and how images reach it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.batching import Batcher, Pixels
from app.errors import ModelNotServable
from app.settings import Settings
from models.bundle import Bundle
from models.manifest import Manifest
from models.runtime import Arrays, Provider, Session
from models.selection import open_session

_RESERVE = 16 * 1024 * 1024
_COPIES = 3
"""Measured: a loaded graph takes three times its file, and some megabytes for a run's arrays."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """Safe to use from several threads, and for as long as it is held."""

    session: Session
    batcher: Batcher | None = None
    """Gathers images of several requests; without one each image runs alone and at once."""

    @property
    def bundle(self) -> Bundle:
        """The bundle on disk; it may have been deleted meanwhile."""
        return self.session.bundle

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self.session.manifest

    @property
    def memory_bytes(self) -> int:
        """About how much memory it takes."""
        return _RESERVE + _COPIES * self.bundle.graph(self.session.precision).size

    def run(self, pixels: Pixels, names: Sequence[str]) -> Arrays:
        """One image's named arrays, without the batch axis; `pixels` 3,H,W pre-processed."""
        if self.batcher is not None:
            arrays = self.batcher.run(pixels, names)
        else:
            found = self.session.run(pixels[None], names)
            arrays = {name: array[0] for name, array in found.items()}
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ModelNotServable(f"{self.bundle.label} gave scores that are not finite numbers")
        return arrays

    def close(self) -> None:
        """Nobody new will ask; who still does is answered."""
        if self.batcher is not None:
            self.batcher.close()


def opener(settings: Settings) -> Callable[[Path], LoadedModel]:
    """What opens, checks and warms up the bundle at a path; raises ModelError."""

    def opened(path: Path) -> LoadedModel:
        session = open_session(
            Bundle.open(path),
            settings.precision,
            provider=settings.provider,
            threads=settings.threads,
        )
        if session.provider is Provider.CPU:  # batches give a CPU almost nothing
            return LoadedModel(session)
        session.warm_up(settings.batch_size)
        age_s = settings.batch_age_ms / 1000
        return LoadedModel(session, Batcher(session.run, size=settings.batch_size, age_s=age_s))

    return opened
