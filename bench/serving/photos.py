"""The images that are sent: photographs of scikit-image as a camera's small JPEGs."""

from io import BytesIO
from pathlib import Path

import skimage
from PIL import Image, ImageOps

WIDTH, HEIGHT = 640, 480
_NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")
_QUALITY = 90


def photos() -> list[bytes]:
    """Five JPEGs of WIDTH x HEIGHT pixels."""
    return [_jpeg(Path(skimage.__file__).parent / "data" / name) for name in _NAMES]


def _jpeg(path: Path) -> bytes:
    stream = BytesIO()
    with Image.open(path) as image:
        fitted = ImageOps.fit(image.convert("RGB"), (WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    fitted.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
