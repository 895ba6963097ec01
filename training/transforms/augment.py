"""What training does to an image before the network sees it; chance comes in as a Generator."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.preprocessing import Preprocessing, normalized, preprocess, resized

Pixels = NDArray[np.float32]
Transform = Callable[[Image.Image, np.random.Generator], Pixels]


def random_crop(image: Image.Image, side: int, rng: np.random.Generator) -> Image.Image:
    """A square of `side` pixels from anywhere inside `image`."""
    left = int(rng.integers(0, image.width - side + 1))
    top = int(rng.integers(0, image.height - side + 1))
    return image.crop((left, top, left + side, top + side))


def random_flip(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """`image` mirrored left to right, half the time."""
    return ImageOps.mirror(image) if rng.random() < 0.5 else image


def training_transform(spec: Preprocessing, crop: int) -> Transform:
    """Resize as in evaluation, then crop `crop` pixels and flip at random; C,crop,crop."""

    def transform(image: Image.Image, rng: np.random.Generator) -> Pixels:
        return normalized(random_flip(random_crop(resized(image, spec), crop, rng), rng), spec)

    return transform


def evaluation_transform(spec: Preprocessing) -> Transform:
    """The model's own pre-processing; nothing is left to chance."""

    def transform(image: Image.Image, rng: np.random.Generator) -> Pixels:
        return preprocess(image, spec)

    return transform
