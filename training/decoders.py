"""What is put on a backbone to paint: its four feature maps as one of the input's size."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.backbone import Backbone


class FusedDecoder(nn.Module):
    """Each of f1..f4 through a 1x1 convolution to the backbone's width w, enlarged, side by side.

    Feng et al., CVPR 2023, the decoder of the stimuli-taking tasks.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        width = backbone.decoder_width
        self.channels = width * len(backbone.channels)
        self.narrow = nn.ModuleList(
            nn.Conv2d(channels, width, kernel_size=1) for channels in backbone.channels
        )

    def forward(self, maps: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Maps B,C_k,h_k,w_k as B,4w,H,W for `size` H,W, bilinear, f1's channels first."""
        enlarged = [
            F.interpolate(narrow(features), size, mode="bilinear", align_corners=False)
            for narrow, features in zip(self.narrow, maps, strict=True)
        ]
        return torch.cat(enlarged, dim=1)
