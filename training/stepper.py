"""One step of training: losses of a batch, their gradients over all processes, new weights."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from training.compute import Compute

B = TypeVar("B")
B_contra = TypeVar("B_contra", contravariant=True)


class HasLosses(Protocol[B_contra]):
    """A network and the losses it is trained by."""

    @property
    def network(self) -> nn.Module: ...

    def losses(self, batch: B_contra) -> dict[str, Tensor]:
        """The named terms of the loss, already weighted; their sum is minimised."""
        ...


class _Losses(nn.Module, Generic[B]):
    """A learner's losses as one module: what is compiled, and what DDP hooks into."""

    def __init__(self, learner: HasLosses[B]) -> None:
        super().__init__()
        self.network = learner.network
        self._losses = learner.losses

    def forward(self, batch: B) -> Mapping[str, Tensor]:
        """The named losses."""
        return self._losses(batch)


class Stepper(Generic[B]):
    """Gradients of a learner's losses, averaged over parts and processes, and the optimiser."""

    def __init__(self, learner: HasLosses[B], optimizer: Optimizer, *, compute: Compute) -> None:
        self._optimizer, self._compute = optimizer, compute
        self._module: nn.Module = _Losses(learner)
        if compute.compiled:
            self._module.compile()
        if compute.ranks.count > 1:
            self._module = DistributedDataParallel(self._module)

    def gradients(self, parts: Sequence[B]) -> dict[str, float]:
        """Fill the gradients from the parts of one batch; returns the mean of each loss."""
        self._optimizer.zero_grad(set_to_none=True)
        names: list[str] = []
        found = []
        for number, part in enumerate(parts, start=1):
            with self._synchronised(number == len(parts)):
                with self._compute.autocast():
                    losses = self._module(self._compute.move(part))
                names, terms = list(losses), torch.stack(list(losses.values()))
                (terms.sum() / len(parts)).backward()  # type: ignore[no-untyped-call]
            found.append(terms.detach().float())
        means = self._compute.ranks.mean(torch.stack(found).mean(dim=0))
        return dict(zip(names, means.tolist(), strict=True))

    def move_weights(self) -> None:
        """Let the optimiser take its step."""
        self._optimizer.step()

    def _synchronised(self, now: bool) -> AbstractContextManager[None]:
        """Gradients cross the processes once a step, with the last part."""
        if now or not isinstance(self._module, DistributedDataParallel):
            return nullcontext()
        return self._module.no_sync()
