"""A class activation map laid over what the model saw of an image."""

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.preprocessing import Preprocessing, Resize

_LONGEST_SIDE = 448
_COLOURS = ((24, 30, 84), (92, 38, 134), (188, 55, 84), (240, 124, 38), (252, 222, 94))
"""From no evidence to the most of it."""

_FAINT, _STRONG = 0.30, 0.70
"""How much of the picture the colours hide, at the lowest and at the highest value."""


def overlay_png(rgb: Image.Image, grid: NDArray[np.float32], spec: Preprocessing) -> str:
    """`grid` (h,w) in colours over the picture, PNG in base64.

    The scale runs from the grid's lowest to its highest value, of this image and label alone.
    """
    view = seen(rgb, spec)
    heat = _spread(grid, view.size)
    opacity = heat.point([round(255 * _FAINT + (_STRONG - _FAINT) * level) for level in range(256)])
    file = BytesIO()
    # Level 1: a few per cent larger than the default, several times faster.
    Image.composite(_coloured(heat), view, opacity).save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode("ascii")


def seen(rgb: Image.Image, spec: Preprocessing) -> Image.Image:
    """The part of a picture that reaches the model, in its true proportions."""
    share = spec.input_side / spec.size
    width, height = rgb.size
    if spec.resize is Resize.SHORTER_SIDE:
        width = height = min(rgb.size)
    width, height = max(1, round(width * share)), max(1, round(height * share))
    left, top = (rgb.width - width) // 2, (rgb.height - height) // 2
    scale = _LONGEST_SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    box = (left, top, left + width, top + height)
    return rgb.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)


def _spread(grid: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    """The grid from 0 to 255, smoothly at the picture's size; a flat one is 0 everywhere."""
    low, high = float(grid.min()), float(grid.max())
    scaled = (grid - low) / (high - low) if high > low else np.zeros_like(grid)
    coarse = Image.fromarray((255 * scaled).round().astype(np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def _coloured(heat: Image.Image) -> Image.Image:
    """Each level's colour, between two neighbours of the table."""
    places = np.linspace(0, len(_COLOURS) - 1, 256)
    channels = [
        np.interp(places, np.arange(len(_COLOURS)), channel)
        for channel in zip(*_COLOURS, strict=True)
    ]
    table = np.stack(channels, axis=1).round().astype(np.uint8)  # 256,3
    coloured = heat.copy()
    coloured.putpalette(table.tobytes())
    return coloured.convert("RGB")
