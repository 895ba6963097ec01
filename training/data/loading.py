"""Batches in an order that depends on seed and epoch alone, so that a run resumes anywhere."""

import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from models.labels import LabelKind, LabelSet
from training.data.labelled import Batch, Draw, LabelledImages, collate


class EpochOrder(Sampler[list[Draw]]):
    """One epoch's shuffled batches from `first_step` on; the last, smaller batch is dropped."""

    def __init__(
        self, samples: int, batch_size: int, *, seed: int, epoch: int, first_step: int = 0
    ) -> None:
        self._draws = (samples, batch_size, seed, epoch, first_step)

    def __len__(self) -> int:
        samples, batch_size, _, _, first_step = self._draws
        return steps_per_epoch(samples, batch_size) - first_step

    def __iter__(self) -> Iterator[list[Draw]]:
        samples, batch_size, seed, epoch, first_step = self._draws
        order = np.random.default_rng((seed, epoch)).permutation(samples)
        for step in range(first_step, steps_per_epoch(samples, batch_size)):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            yield [Draw(int(index), (seed, epoch, int(index))) for index in chosen]


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
    """A loader of `order`'s batches; it never touches the global random state."""
    return DataLoader(
        images,
        batch_sampler=order,
        num_workers=workers,
        collate_fn=partial(collate, label_sets=label_sets),
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator().manual_seed(0),
        worker_init_fn=_leave_signals_to_the_loop,
    )


def _leave_signals_to_the_loop(worker: int) -> None:
    """A signal to the process group must not kill workers before the loop has saved its state.

    Their own parent's does end them: it sends one when it exits, and would wait for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_when_told_by, args=(os.getppid(),), daemon=True).start()


def _end_when_told_by(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
