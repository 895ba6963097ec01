"""CIE Lab: lightness L in 0..100, and a (green to red) and b (blue to yellow) in about +-110.

sRGB, illuminant D65, 2 degree observer. Channels are the third axis from the end: ...,C,H,W.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.color import lab2rgb, rgb2lab

Floats = NDArray[np.float32]

GREY = 127 / 255
"""The scaled chroma of a colour that is none: a = b = 0."""

_CHANNELS = -3


def lab_from_rgb(rgb: Floats) -> Floats:
    """...,3,H,W of red, green and blue in [0, 1] as ...,3,H,W of L, a and b."""
    return np.asarray(rgb2lab(rgb, channel_axis=_CHANNELS), dtype=np.float32)


def rgb_from_lab(lab: Floats) -> Floats:
    """...,3,H,W of L, a and b as ...,3,H,W of red, green and blue, clipped to [0, 1]."""
    displayable = lab.astype(np.float64)
    lightness = displayable[..., 0, :, :]
    # More yellow than this is light of negative energy: scikit-image would clip it with a warning.
    most = 200 * (lightness + 16) / 116 - 1e-6
    displayable[..., 2, :, :] = np.minimum(displayable[..., 2, :, :], most)
    return np.asarray(lab2rgb(displayable, channel_axis=_CHANNELS), dtype=np.float32)


def scaled_lightness(lightness: Floats) -> Floats:
    """L of 0..100 as a network's input in [-1, 1]: (L - 50) / 50."""
    return np.asarray((lightness - 50) / 50, dtype=np.float32)


def lightness_from_scaled(scaled: Floats) -> Floats:
    """L of 0..100 from `scaled_lightness`."""
    return scaled * 50 + 50


def scaled_chroma(chroma: Floats) -> Floats:
    """a or b as a network's target in [0, 1]: (x + 127) / 255."""
    return np.asarray((chroma + 127) / 255, dtype=np.float32)


def chroma_from_scaled(scaled: Floats) -> Floats:
    """a or b from `scaled_chroma`."""
    return scaled * 255 - 127
