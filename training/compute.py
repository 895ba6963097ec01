"""The device, the arithmetic and the memory layout of a run."""

import logging
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from training.config.optimization import ComputeConfig, Precision
from training.data.pixel_cache import Caching
from training.errors import TrainingError
from training.ranks import ALONE, Ranks

T = TypeVar("T")
_log = logging.getLogger(__name__)


class DeviceUnavailable(TrainingError):
    """The configured device is not on this machine."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Places networks and batches, and runs forward passes in the chosen precision."""

    device: torch.device
    precision: torch.dtype
    loader_workers: int
    compiled: bool = False
    ranks: Ranks = ALONE
    caching: Caching | None = None

    @classmethod
    def choose(
        cls, config: ComputeConfig, ranks: Ranks = ALONE, *, folder: Path | None = None
    ) -> Self:
        """What `config` asks for; raises DeviceUnavailable rather than falling back silently.

        Training images are kept decoded in `folder`, where one is given.
        """
        name = config.device
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name == "cuda" and not torch.cuda.is_available():
            raise DeviceUnavailable(
                "compute.device is 'cuda' but PyTorch sees no CUDA device; use 'cpu' or 'auto'"
            )
        wanted, pays = config.precision, computes_bfloat16(name)
        if wanted is Precision.BFLOAT16 and not pays:
            _log.warning(
                "this %s has no bfloat16 arithmetic and emulates it, many times slower than "
                "float32; compute.precision 'auto' takes what is fast",
                name,
            )
        bfloat16 = wanted is Precision.BFLOAT16 or (wanted is Precision.AUTO and pays)
        dtype = torch.bfloat16 if bfloat16 else torch.float32
        device = torch.device(f"cuda:{ranks.local_rank}" if name == "cuda" else name)
        caching = Caching(folder, config.image_cache_gib, among=ranks.count) if folder else None
        return cls(device, dtype, config.loader_workers, config.compile, ranks, caching)

    def place(self, network: nn.Module) -> nn.Module:
        """`network` on the device, its convolutions in channels-last order."""
        return network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def images(self, images: Tensor) -> Tensor:
        """Images B,3,H,W on the device in channels-last order."""
        return images.to(self.device, memory_format=torch.channels_last, non_blocking=True)

    def move(self, batch: T) -> T:
        """The tensors of `batch`, which may be nested, on the device; images in channels-last."""
        return _mapped(batch, self._moved)  # type: ignore[no-any-return]

    def _moved(self, tensor: Tensor) -> Tensor:
        if tensor.ndim == 4:
            return self.images(tensor)
        return tensor.to(self.device, non_blocking=True)

    def autocast(self) -> AbstractContextManager[None]:
        """Forward passes inside run in the chosen precision."""
        return torch.autocast(
            self.device.type, self.precision, enabled=self.precision is not torch.float32
        )


def computes_bfloat16(device: str) -> bool:
    """Whether "cuda" or "cpu" here has instructions for bfloat16; without them it is emulated.

    On an AVX2 CPU a step then took twelve times as long as in float32.
    """
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def seed_everything(seed: int) -> None:
    """Seed PyTorch's global generators (initialisation, dropout) on every device."""
    torch.manual_seed(seed)


def backend(config: ComputeConfig) -> str:
    """How processes that train together talk: over the GPUs' own links, or over sockets."""
    on_gpu = config.device == "cuda" or (config.device == "auto" and torch.cuda.is_available())
    return "nccl" if on_gpu else "gloo"


def _mapped(value: Any, function: Any) -> Any:
    """`function` of every tensor in nested dictionaries and named tuples."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {key: _mapped(part, function) for key, part in value.items()}
    return type(value)(*(_mapped(part, function) for part in value))
