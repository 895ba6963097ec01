"""What training does to an image before the network sees it; chance comes in as a Generator."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.preprocessing import Preprocessing, normalized, preprocess, resized

Pixels = NDArray[np.float32]
Transform = Callable[[Image.Image, np.random.Generator], Pixels]

_ASPECTS = (3 / 4, 4 / 3)


def random_crop(image: Image.Image, side: int, rng: np.random.Generator) -> Image.Image:
    """A square of `side` pixels from anywhere inside `image`."""
    left = int(rng.integers(0, image.width - side + 1))
    top = int(rng.integers(0, image.height - side + 1))
    return image.crop((left, top, left + side, top + side))


def random_scaled_crop(
    image: Image.Image, side: int, rng: np.random.Generator, *, min_area: float
) -> Image.Image:
    """A square of `side` pixels that shows a box of `min_area` to all of `image`.

    Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 6: aspect ratios from 3/4
    to 4/3, both drawn evenly, the ratio in its logarithm.
    """
    area = float(rng.uniform(min_area, 1.0)) * image.width * image.height
    ratio = float(np.exp(rng.uniform(*np.log(_ASPECTS))))
    width = min(image.width, max(1, round((area * ratio) ** 0.5)))
    height = min(image.height, max(1, round((area / ratio) ** 0.5)))
    left = int(rng.integers(0, image.width - width + 1))
    top = int(rng.integers(0, image.height - height + 1))
    box = (left, top, left + width, top + height)
    return image.resize((side, side), Image.Resampling.BILINEAR, box=box)


def random_flip(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """`image` mirrored left to right, half the time."""
    return ImageOps.mirror(image) if rng.random() < 0.5 else image


def training_transform(
    spec: Preprocessing, crop: int, *, min_area: float | None = None
) -> Transform:
    """Resize as in evaluation, then crop to `crop` pixels and flip at random; C,crop,crop."""

    def cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        if min_area is None:
            return random_crop(image, crop, rng)
        return random_scaled_crop(image, crop, rng, min_area=min_area)

    def transform(image: Image.Image, rng: np.random.Generator) -> Pixels:
        return normalized(random_flip(cropped(resized(image, spec), rng), rng), spec)

    return transform


def evaluation_transform(spec: Preprocessing) -> Transform:
    """The model's own pre-processing; nothing is left to chance."""

    def transform(image: Image.Image, rng: np.random.Generator) -> Pixels:
        return preprocess(image, spec)

    return transform
