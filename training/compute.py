"""The device, the arithmetic and the memory layout of a run."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from training.config import ComputeConfig, Precision
from training.data.labelled import Batch
from training.errors import TrainingError


class DeviceUnavailable(TrainingError):
    """The configured device is not on this machine."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Places networks and batches, and runs forward passes in the chosen precision."""

    device: torch.device
    precision: torch.dtype
    loader_workers: int

    @classmethod
    def choose(cls, config: ComputeConfig) -> Self:
        """What `config` asks for; raises DeviceUnavailable rather than falling back silently."""
        name = config.device
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name == "cuda" and not torch.cuda.is_available():
            raise DeviceUnavailable(
                "compute.device is 'cuda' but PyTorch sees no CUDA device; use 'cpu' or 'auto'"
            )
        pays = name == "cuda" and torch.cuda.is_bf16_supported()
        wanted = config.precision
        bfloat16 = wanted is Precision.BFLOAT16 or (wanted is Precision.AUTO and pays)
        dtype = torch.bfloat16 if bfloat16 else torch.float32
        return cls(torch.device(name), dtype, config.loader_workers)

    def place(self, network: nn.Module) -> nn.Module:
        """`network` on the device, its convolutions in channels-last order."""
        return network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def images(self, images: Tensor) -> Tensor:
        """Images B,3,H,W on the device in channels-last order."""
        return images.to(self.device, memory_format=torch.channels_last, non_blocking=True)

    def move(self, batch: Batch) -> Batch:
        """`batch` on the device."""
        return Batch(
            self.images(batch.images),
            {kind: part.to(self.device) for kind, part in batch.targets.items()},
            {kind: part.to(self.device) for kind, part in batch.present.items()},
        )

    def autocast(self) -> AbstractContextManager[None]:
        """Forward passes inside run in the chosen precision."""
        return torch.autocast(
            self.device.type, self.precision, enabled=self.precision is not torch.float32
        )


def seed_everything(seed: int) -> None:
    """Seed PyTorch's global generators (initialisation, dropout) on every device."""
    torch.manual_seed(seed)
