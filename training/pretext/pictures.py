"""What a panel is made of: a network's inputs as pictures again, and pictures in a grid."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.utils import make_grid

from models.preprocessing import Channels


class Denormalization(nn.Module):
    """Normalised images back in [0, 1]: times std, plus mean."""

    def __init__(self, mean: Channels, std: Channels) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """...,3,H,W in [0, 1], float32, of normalised ...,3,H,W."""
        return (images.float() * self.std + self.mean).clamp(0, 1)


def grid(pictures: Tensor, *, across: int, gap: int = 2) -> Tensor:
    """Pictures N,3,H,W as one, 3,H',W', row by row on white."""
    joined: Tensor = make_grid(pictures, nrow=across, padding=gap, pad_value=1)
    return joined


def rows(columns: Sequence[Tensor], *, gap: int = 2) -> Tensor:
    """Columns of B pictures, each B,3,H,W, as one picture of B rows."""
    return grid(torch.stack(list(columns), dim=1).flatten(0, 1), across=len(columns), gap=gap)
