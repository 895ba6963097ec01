"""Any opened image as upright 8-bit RGB; training and serving share it, so they see the same."""

import numpy as np
from PIL import ExifTags, Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""Image formats that are read, in Pillow's names; pass them to `Image.open`.

A phone's JPEG with several frames is opened as JPEG, and then calls itself MPO.
"""

_WHITE = (255, 255, 255, 255)
_WIDE_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def as_rgb(image: Image.Image) -> Image.Image:
    """`image` turned upright as its EXIF tag says, flattened on white, in mode RGB.

    16-bit greys keep their upper eight bits. Of an animation the current frame is taken. An image
    that is all that already is returned as it is: of 50 megapixels each copy is 200 MB.
    """
    image.load()  # a PNG may tell its orientation behind its pixels
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    upright = ImageOps.exif_transpose(image) if turned else image
    if upright.mode in _WIDE_MODES:
        upright = _narrowed(upright)
    if upright.mode == "La":  # Pillow turns this one into LA alone
        upright = upright.convert("LA")
    if upright.has_transparency_data:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, _WHITE), rgba)
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def _narrowed(image: Image.Image) -> Image.Image:
    """The upper eight bits of a 16-bit grey; the grey that stands for transparency is white."""
    wide = np.asarray(image).astype(np.int64).clip(0, 65535)  # H,W
    narrow = (wide >> 8).astype(np.uint8)
    if "transparency" in image.info:
        narrow[wide == image.info["transparency"]] = 255
    return Image.fromarray(narrow)
