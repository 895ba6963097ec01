"""Images as they are given, and the bytes that are sent; Pillow and numpy only where given."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, Union

from sentiscope.service.errors import UnusableImage
from sentiscope.service.prediction import FailedPrediction
from sentiscope.service.problem import unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image as Pillow

Given: TypeAlias = Union[str, "os.PathLike[str]", bytes, "Pillow.Image", "NDArray[np.uint8]"]
"""A path, an address (https://...) from which the service fetches, the bytes of an image file, a
Pillow image, or an array: H,W or H,W,C of 8 bits."""

_EXPECTED = "a path, an address, the bytes of an image file, a Pillow image or a numpy array"
_EXPECTED_ARRAY = "8-bit (uint8) pixels of shape H,W (grey), H,W,3 (RGB) or H,W,4 (RGBA)"
_SCHEMES = ("https://", "http://")
_PNG_MODES = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})


@dataclass(frozen=True, slots=True)
class Upload:
    """An image that can be sent."""

    source: str | None
    """Its path, if it was given as one."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """An image that the service fetches, if its operator allows the host."""

    source: str
    """Its address."""


def is_address(text: str) -> bool:
    """Whether it is an address and no path."""
    return text.lower().startswith(_SCHEMES)


def uploads(images: Given | Iterable[Given]) -> Iterator[Upload | Link | FailedPrediction]:
    """Each image as it is to be sent, read when its turn comes; one that cannot be read failed.

    Raises UnusableImage for what is no image at all.
    """
    if isinstance(images, str | bytes | os.PathLike) or _is_pillow(images) or _is_array(images):
        yield _upload(images)
        return
    if not isinstance(images, Iterable):
        raise _unusable(images)
    for image in images:
        yield _upload(image)


def _upload(image: Given) -> Upload | Link | FailedPrediction:
    if isinstance(image, str) and is_address(image):
        return Link(image)
    if isinstance(image, bytes):
        return Upload(None, image)
    if _is_pillow(image):
        return Upload(None, _png(image))
    if _is_array(image):
        return Upload(None, _png(_of_array(image)))
    if not isinstance(image, str | os.PathLike):
        raise _unusable(image)
    path = os.fspath(image)
    try:
        with open(path, "rb") as file:
            return Upload(path, file.read())
    except OSError as error:
        return FailedPrediction(source=path, problem=unreadable(path, error))


def _is_pillow(image: object) -> "TypeGuard[Pillow.Image]":
    """An image of Pillow's is only there where Pillow was imported."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(image, module.Image)


def _is_array(image: object) -> "TypeGuard[NDArray[Any]]":
    module = sys.modules.get("numpy")
    return module is not None and isinstance(image, module.ndarray)


def _of_array(array: "NDArray[Any]") -> "Pillow.Image":
    from PIL import Image

    channels = array.shape[2:] if array.ndim == 3 else ()
    if array.ndim not in (2, 3) or array.dtype != "uint8" or channels not in ((), (3,), (4,)):
        raise UnusableImage(
            f"given an array of shape {array.shape} and type {array.dtype}; "
            f"expected {_EXPECTED_ARRAY}, several as a list"
        )
    return Image.fromarray(array)


def _png(image: "Pillow.Image") -> bytes:
    """Without loss, and with the orientation that the image's file said."""
    plain = image if image.mode in _PNG_MODES else image.convert("RGB")
    orientation = {"exif": exif} if (exif := image.getexif()) else {}
    options: Mapping[str, Any] = {"compress_level": 1, **orientation}
    file = BytesIO()
    plain.save(file, "PNG", **options)
    return file.getvalue()


def _unusable(image: object) -> UnusableImage:
    return UnusableImage(f"given {type(image).__name__} {image!r:.80}; expected {_EXPECTED}")
