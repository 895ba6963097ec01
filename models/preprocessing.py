"""How an image becomes a model's input: one specification and its one implementation.

Training's evaluation, calibration, export and serving all call `preprocess`, so they cannot drift.
"""

from enum import StrEnum
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

Side = Annotated[int, Field(ge=8, le=4096)]
Channels = tuple[float, float, float]


class Resize(StrEnum):
    """How an image of any shape reaches the model's size."""

    SQUASH = "squash"
    """Both sides are resized at once; the aspect ratio is given up, nothing is cut off."""

    SHORTER_SIDE = "shorter_side"
    """The shorter side is resized, then the centre is cropped; the aspect ratio is kept."""


class Interpolation(StrEnum):
    """Resampling filter; all are antialiased (Pillow's)."""

    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


_FILTERS = {
    Interpolation.BILINEAR: Image.Resampling.BILINEAR,
    Interpolation.BICUBIC: Image.Resampling.BICUBIC,
    Interpolation.LANCZOS: Image.Resampling.LANCZOS,
}

_LONGEST = 8
"""Of a picture longer than this many times its shorter side, the far ends are cut off first."""


class Preprocessing(BaseModel):
    """Specification of a model's input; it travels in the bundle's manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    resize: Resize = Resize.SQUASH
    size: Side = Field(description="Side of the resized image (squash: of both sides), in pixels")
    crop: Side | None = Field(None, description="Side of the centre crop; none: the whole image")
    interpolation: Interpolation = Interpolation.BILINEAR
    mean: Channels
    std: Channels

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.crop is not None and self.crop > self.size:
            raise ValueError(f"crop {self.crop} is larger than the resized image {self.size}")
        if self.resize is Resize.SHORTER_SIDE and self.crop is None:
            raise ValueError("resizing the shorter side needs a crop, or batches have no one shape")
        if min(self.std) <= 0:
            raise ValueError(f"std must be positive, got {self.std}")
        return self

    @property
    def input_side(self) -> int:
        """Side of the square the model sees, in pixels."""
        return self.crop or self.size

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one preprocessed image: channels, height, width."""
        return (3, self.input_side, self.input_side)


def resized(image: Image.Image, spec: Preprocessing) -> Image.Image:
    """`image` (RGB, any size) at the model's size, cropped, still 8-bit RGB."""
    if spec.resize is Resize.SQUASH:
        width = height = spec.size
    else:
        image = _without_far_ends(image)
        scale = spec.size / min(image.size)
        width, height = (max(spec.size, round(side * scale)) for side in image.size)
    if image.size != (width, height):
        image = image.resize((width, height), _FILTERS[spec.interpolation])
    side = spec.input_side
    left, top = (width - side) // 2, (height - side) // 2
    if (width, height) != (side, side):
        image = image.crop((left, top, left + side, top + side))
    return image


def _without_far_ends(image: Image.Image) -> Image.Image:
    """Cut what no centre crop can see: 1 x 1,000,000 pixels, resized whole, fill the memory."""
    width, height = image.size
    left = max(0, width - _LONGEST * height) // 2
    top = max(0, height - _LONGEST * width) // 2
    if not left and not top:
        return image
    return image.crop((left, top, width - left, height - top))


def normalized(image: Image.Image, spec: Preprocessing) -> NDArray[np.float32]:
    """8-bit RGB `image` as float32 C,H,W: scaled to [0, 1], minus mean, over std."""
    pixels = np.asarray(image).transpose(2, 0, 1)  # C,H,W
    std = np.asarray(spec.std, dtype=np.float32)[:, None, None]
    found = np.empty(pixels.shape, np.float32)
    np.multiply(pixels, 1.0 / (255.0 * std), out=found)
    found -= np.asarray(spec.mean, dtype=np.float32)[:, None, None] / std
    return found


def preprocess(image: Image.Image, spec: Preprocessing) -> NDArray[np.float32]:
    """One RGB image as the model's input, float32 of shape `spec.input_shape`."""
    if image.mode != "RGB":
        raise ValueError(f"expected an RGB image, got mode {image.mode!r}: convert it first")
    return normalized(resized(image, spec), spec)
