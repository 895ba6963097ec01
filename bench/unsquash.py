"""Squashed test images as photos of their own shape and size: stretched, enlarged, and never cut.

What a squashed copy was cannot be known, so shapes are drawn. Nothing is added that the copy did
not hold: this tells how a model bears other shapes and sizes, not how it sees more detail.
"""

import io
import math

import numpy as np
from PIL import Image

LONGEST = 2.0
"""Ratio of the sides, up to which either may be the longer one."""

LARGEST = 4.0
"""Factor up to which the mean side is enlarged."""


def unsquashed(content: bytes, rng: np.random.Generator) -> bytes:
    """The image as a PNG file of a random shape and size, both drawn evenly on a log scale."""
    ratio = LONGEST ** rng.uniform(-1, 1)
    factor = LARGEST ** rng.uniform(0, 1)
    with Image.open(io.BytesIO(content)) as image:
        side = math.sqrt(image.width * image.height) * factor
        size = (round(side * math.sqrt(ratio)), round(side / math.sqrt(ratio)))
        stretched = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    stretched.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
