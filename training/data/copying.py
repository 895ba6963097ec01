"""Images into a dataset: copied byte for byte, with a digest each, once they prove decodable."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from models.pixels import FORMATS
from training.data.importers.listing import Record
from training.data.source import Source

DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises on bytes that are not a whole image."""

MAX_PIXELS = 100_000_000
"""A larger image is not decoded; phones make up to 108 megapixels, data sets hardly 10."""

_PROGRESS_STEP = 100

Progress = Callable[[str, int, int], None]
"""Told the name of the step, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Digests of the images copied, and why the others were not, by their names in the source."""

    digests: Mapping[str, str]
    unreadable: Mapping[str, str]


def image_path(file_name: str) -> str:
    """Where an image of the source lies in the dataset."""
    return file_name if file_name.startswith("images/") else f"images/{file_name}"


def defect(content: bytes) -> str | None:
    """Why `content` is not an image that training could decode; none: it is one."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return f"{image.width}x{image.height} pixels, at most {MAX_PIXELS} are decoded"
            image.draft("RGB", (1, 1))  # a JPEG at an eighth of its size: whole, but fast
            image.load()
    except UnidentifiedImageError:
        return f"none of {', '.join(FORMATS)}"
    except DECODER_ERRORS as error:
        return str(error)
    return None


def copy_images(
    source: Source, records: Sequence[Record], folder: Path, progress: Progress
) -> Copies:
    """Copies the decodable images of the records below `folder`."""
    digests: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for done, record in enumerate(records, start=1):
        content = source.read(record.file_name)
        reason = defect(content)
        if reason is None:
            digests[record.file_name] = sha256(content).hexdigest()
            _write(folder / image_path(record.file_name), content)
        else:
            unreadable[record.file_name] = reason
        if done % _PROGRESS_STEP == 0 or done == len(records):
            progress("copy images", done, len(records))
    return Copies(digests, unreadable)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
