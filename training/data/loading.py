"""Batches in an order that depends on seed and epoch alone, so that a run resumes anywhere."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from models.labels import LabelKind, LabelSet
from training.data.labelled import Batch, Draw, LabelledImages, collate
from training.data.skipping import Delivered, Delivery, Drawn, SkipsUnreadable
from training.data.telling import TellingCollate, TellsErrors, Told
from training.errors import TrainingError
from training.ranks import ALONE, Ranks
from training.supervised import die_with_parent

T = TypeVar("T")
B = TypeVar("B")


class NotDivisible(TrainingError):
    """A batch cannot be cut into the parts that processes and accumulation ask for."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How a batch is cut: each process takes its share, and `parts` of it one after the other."""

    ranks: Ranks = ALONE
    parts: int = 1

    def check(self, samples: int, batch_size: int) -> None:
        """Raise NotDivisible unless every process gets parts of one size."""
        pieces = self.ranks.count * self.parts
        if pieces > 1 and (batch_size % pieces or samples < batch_size):
            raise NotDivisible(
                f"a batch of {batch_size} out of {samples} images is to be cut into "
                f"{self.ranks.count} processes x {self.parts} parts; choose a batch_size that "
                "divides, and is not larger than the data set"
            )


_WHOLE = Cut()


class TrainingOrder(Sampler[list[Draw]]):
    """Shuffled batches of steps `first` to `last`, counted over all epochs.

    Every pass over the samples is a new permutation; what would be a smaller last batch of it is
    dropped. Draws depend on seed, pass and sample alone.
    """

    def __init__(
        self,
        samples: int,
        batch_size: int,
        *,
        seed: int,
        first: int,
        last: int,
        cut: Cut = _WHOLE,
    ) -> None:
        cut.check(samples, batch_size)
        self._samples, self._batch_size, self._seed = samples, batch_size, seed
        self._first, self._last, self._cut = first, last, cut

    def __len__(self) -> int:
        return (self._last - self._first) * self._cut.parts

    def __iter__(self) -> Iterator[list[Draw]]:
        per_pass = steps_per_epoch(self._samples, self._batch_size)
        turn, order = -1, np.empty(0, dtype=np.int64)
        for number in range(self._first, self._last):
            if number // per_pass != turn:
                turn = number // per_pass
                order = np.random.default_rng((self._seed, turn)).permutation(self._samples)
            start = number % per_pass * self._batch_size
            mine = self._cut.ranks.share(order[start : start + self._batch_size].tolist())
            size = -(-len(mine) // self._cut.parts)
            for at in range(0, len(mine), size):
                yield [Draw(i, (self._seed, turn, i)) for i in mine[at : at + size]]


class InOrder(Sampler[list[Draw]]):
    """Every sample once, in order; the last batch may be smaller."""

    def __init__(self, samples: int, batch_size: int) -> None:
        self._samples, self._batch_size = samples, batch_size

    def __len__(self) -> int:
        return -(-self._samples // self._batch_size)

    def __iter__(self) -> Iterator[list[Draw]]:
        for start in range(0, self._samples, self._batch_size):
            stop = min(start + self._batch_size, self._samples)
            yield [Draw(index, (0, index)) for index in range(start, stop)]


def steps_per_epoch(samples: int, batch_size: int) -> int:
    """Full batches in one epoch; a set smaller than one batch makes one batch of all."""
    return max(1, samples // batch_size)


def load(
    images: LabelledImages,
    order: Sampler[list[Draw]],
    label_sets: Mapping[LabelKind, LabelSet],
    *,
    workers: int,
) -> Iterable[Batch]:
    """Labelled images in `order`'s batches."""
    return batches(images, order, partial(collate, label_sets=label_sets), workers=workers)


def batches(
    images: Dataset[T],
    order: Sampler[list[Draw]],
    collate: Callable[[Sequence[T]], B],
    *,
    workers: int,
) -> Iterable[B]:
    """A loader of `order`'s batches; it never touches the global random state.

    A TrainingError in one of its processes is raised here as it was there.
    """
    loader = DataLoader(
        TellsErrors(images),
        batch_sampler=order,
        num_workers=workers,
        collate_fn=TellingCollate(collate),
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator().manual_seed(0),
        worker_init_fn=_leave_signals_to_the_loop,
    )
    return Told(loader)


def deliver(
    images: Drawn[T],
    order: Sampler[list[Draw]],
    collate: Callable[[Sequence[T]], B],
    *,
    workers: int,
) -> Iterable[Delivered[B]]:
    """The same for training, which goes on past images that cannot be read, and tells of them."""
    return batches(SkipsUnreadable(images), order, Delivery(collate), workers=workers)


def _leave_signals_to_the_loop(worker: int) -> None:
    """A signal to the process group must not kill workers before the loop has saved its state.

    Their own parent's does end them: it sends one when it exits, and would wait for ever. Where
    it is killed, so are they.
    """
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_when_told_by, args=(os.getppid(),), daemon=True).start()


def _end_when_told_by(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
