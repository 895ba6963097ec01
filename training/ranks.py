"""Processes that train one model together, as `torchrun` starts and numbers them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")

_VALIDATION = timedelta(hours=12)
"""For which the others wait for the first; who dies is noticed by torchrun."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among all that train together; alone unless `torchrun` says otherwise."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Ranks":
        """What torchrun's variables say; one process alone where they are missing."""
        return cls(
            int(environment.get("RANK", 0)),
            int(environment.get("WORLD_SIZE", 1)),
            int(environment.get("LOCAL_RANK", 0)),
        )

    @property
    def is_first(self) -> bool:
        """Whether this process writes: one of them does."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """This process's part of a batch; all parts are of one size if the batch divides."""
        return items[self.rank :: self.count]

    def mean(self, values: Tensor) -> Tensor:
        """The mean of `values` over all processes, on every one of them."""
        if self.count == 1:
            return values
        summed = values.clone()
        dist.all_reduce(summed)
        return summed / self.count

    def any(self, flag: bool, *, device: torch.device) -> bool:
        """Whether `flag` holds in some process; all are told the same."""
        if self.count == 1:
            return flag
        asked = torch.tensor(float(flag), device=device)
        dist.all_reduce(asked, op=dist.ReduceOp.MAX)
        return bool(asked.item() > 0)

    def gathered(self, value: T) -> list[T]:
        """The `value` of every process, by rank."""
        if self.count == 1:
            return [value]
        found: list[T | None] = [None] * self.count
        dist.all_gather_object(found, value)
        return [each for each in found if each is not None]

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.count > 1:
            dist.barrier()


ALONE = Ranks()


@contextmanager
def joined(backend: str) -> Iterator[Ranks]:
    """Take part in the group that torchrun started, for as long as the context lasts.

    Each process computes on the GPU of its local number, if they talk over GPUs.
    """
    ranks = Ranks.of(os.environ)
    if ranks.count == 1:
        yield ranks
        return
    if backend == "nccl":
        # NCCL gathers objects on the current device, and takes random states from it
        torch.cuda.set_device(ranks.local_rank)
    dist.init_process_group(backend, timeout=_VALIDATION)
    try:
        yield ranks
    finally:
        dist.destroy_process_group()
