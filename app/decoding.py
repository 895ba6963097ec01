"""The bytes of an image as upright RGB; its header decides before its pixels are decoded."""

import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from app.bounded_file import BoundedFile
from app.errors import BrokenImage, ImageTooLarge, UnsupportedFormat
from models.pixels import FORMATS, as_rgb
from models.preprocessing import Preprocessing, preprocess

_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WEBP"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"BM", "BMP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"%PDF", "PDF"),
    (0, b"<svg", "SVG"),
)
"""Offset, bytes and name; formats that are not read are here to be called by their name."""

_FAILURES = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders raise when the bytes are not what they claim to be."""

_SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""

_OVERSAMPLING = 2
"""A JPEG is decoded at no less than this times the size that is needed: fast, and still sharp."""

_SCAN, _MAX_SCANS = b"\xff\xda", 32
"""Progressive JPEGs have some ten scans; of thousands, each goes over all pixels once more."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image; width and height are those of the original, turned upright."""

    format: str
    width: int
    height: int
    rgb: Image.Image
    """Upright RGB; smaller than the original where a JPEG could be decoded at a fraction."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image, and the model's input that it makes."""

    picture: Picture
    pixels: NDArray[np.float32]  # 3,H,W


class Decoder:
    """Decodes images of at most `max_pixels`, no more than `at_once` of them at a time."""

    def __init__(self, *, max_pixels: int, at_once: int) -> None:
        self._max_pixels = max_pixels
        self._hands = threading.Semaphore(at_once)

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process, which runs one image at a time."""
        return partial(Decoder, max_pixels=self._max_pixels, at_once=1), ()

    def decode(self, content: bytes, spec: Preprocessing) -> Decoded:
        """An image as it was and as a model of `spec` takes it; raises what `decode` does."""
        with self._hands:
            picture = decode(content, needed=spec.size, max_pixels=self._max_pixels)
            return Decoded(picture, preprocess(picture.rgb, spec))


def prepare() -> None:
    """Load Pillow's readers now; else the first request of a service would wait for them.

    What Pillow says of damaged EXIF is no concern of the service's log.
    """
    Image.init()
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def decode(content: bytes, *, needed: int, max_pixels: int) -> Picture:
    """The first frame of an image, with sides of at least `needed` where it has them.

    Raises UnsupportedFormat, ImageTooLarge and BrokenImage.
    """
    name = _format(content)
    image = _opened(content, name)
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"the image has {width}x{height} = {width * height:,} pixels, the limit is "
            f"{max_pixels:,}; send a smaller version, the model sees {needed}x{needed}"
        )
    try:
        image.draft(None, (needed * _OVERSAMPLING, needed * _OVERSAMPLING))
        rgb = as_rgb(image)
        sideways = image.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
    except _FAILURES as error:
        raise BrokenImage(
            f"the {name} image of {width}x{height} pixels is truncated or damaged and cannot be "
            "decoded; check that all of it was sent"
        ) from error
    if sideways:
        width, height = height, width
    return Picture(name, width, height, rgb)


def _format(content: bytes) -> str:
    for offset, signature, name in _SIGNATURES:
        if content.startswith(signature, offset):
            if name in FORMATS:
                return name
            raise UnsupportedFormat(f"{name} images are not read; {_advice()}")
    raise UnsupportedFormat(
        f"the {len(content)} bytes are not an image of a supported format; {_advice()}"
    )


def _advice() -> str:
    return f"send {', '.join(name for name in FORMATS if name != 'MPO')}"


def _opened(content: bytes, name: str) -> Image.Image:
    """The image with its header read, its pixels not yet decoded."""
    if name == "JPEG" and content.count(_SCAN) > _MAX_SCANS:
        raise BrokenImage(f"the JPEG image has more than {_MAX_SCANS} scans; save it anew")
    # Warnings are silenced for this call alone, and the filters are the process's: hence the lock.
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            file = cast(IO[bytes], BoundedFile(content))
            image = Image.open(file, formats=FORMATS)
            if "exif" in image.info:  # otherwise a PNG would be decoded, to look for it at its end
                image.getexif()
        except Image.DecompressionBombError as error:
            raise ImageTooLarge(
                f"the {name} image has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels"
            ) from error
        except _FAILURES as error:
            raise BrokenImage(
                f"the bytes begin like {name}, but the image's header is truncated or damaged"
            ) from error
    return image
