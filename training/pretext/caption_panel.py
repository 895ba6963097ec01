"""A picture of images with captions under them."""

import textwrap
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from training.pretext.pictures import grid

_SIDE, _TEXT_HEIGHT, _FONT_SIZE = 256, 208, 12  # pixels
_LETTERS = 40
"""How many letters of this size fit under an image of this side."""


def captioned(images: Tensor, texts: Sequence[Sequence[str]]) -> Tensor:
    """Images N,3,h,w in [0, 1] in a row, each above its paragraphs of text."""
    shown = [_captioned(image, own) for image, own in zip(images, texts, strict=True)]
    return grid(torch.stack(shown), across=len(shown))


def _captioned(image: Tensor, paragraphs: Sequence[str]) -> Tensor:
    """An image and its text, 3,464,256; whatever is too long is cut off."""
    picture = Image.new("RGB", (_SIDE, _SIDE + _TEXT_HEIGHT), "white")
    picture.paste(to_pil_image(image).resize((_SIDE, _SIDE)))
    text = "\n".join(textwrap.fill(paragraph, _LETTERS) for paragraph in paragraphs)
    font = ImageFont.load_default(_FONT_SIZE)
    ImageDraw.Draw(picture).multiline_text((4, _SIDE + 4), text, fill="black", font=font)
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255).permute(2, 0, 1)
