"""Caption decoders that are tiny and have an opinion, and feature maps for them to look at."""

import torch
from torch import Tensor

from training.pretext.caption_decoder import CaptionDecoder

CHANNELS, ROWS, COLUMNS = 3, 2, 3


def decoder(seed: int = 0, *, entries: int = 7, dropout: float = 0.0) -> CaptionDecoder:
    """Large random weights, so that neither attention nor words are nearly uniform."""
    generator = torch.Generator().manual_seed(seed)
    made = CaptionDecoder(
        CHANNELS, torch.zeros(entries), embedding=2, hidden=4, attention=5, dropout=dropout
    )
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    return made.eval()


def features(images: int, seed: int = 0) -> Tensor:
    """Feature maps B,C,h,w."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(images, CHANNELS, ROWS, COLUMNS, generator=generator)
