"""Image files made on the spot, and a few that no encoder would make."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import skimage
from PIL import Image

PHOTOS = sorted(
    path
    for path in (Path(skimage.__file__).parent / "data").iterdir()
    if path.name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png")
)
"""Photographs that come with scikit-image."""

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
Colour = tuple[int, int, int]


def solid(colour: Colour = RED, size: tuple[int, int] = (32, 32)) -> Image.Image:
    """One colour all over."""
    return Image.new("RGB", size, colour)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The image as a file's bytes."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(size: tuple[int, int], *, seed: int = 0) -> Image.Image:
    """Smooth noise, as costly to decode as a photograph."""
    width, height = size
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR)


def halves(left: Colour, right: Colour, size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Two colours side by side."""
    image = solid(left, size)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file."""
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png_header(width: int, height: int, *, depth: int = 8, colour: int = 2) -> bytes:
    """Signature and header of a PNG file."""
    fields = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", fields)


def vast_png(width: int = 20_000, height: int = 10_000) -> bytes:
    """A whole and valid PNG of one bit a pixel: 200 megapixels in some 25 KB."""
    row = b"\0" + bytes((width + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = png_header(width, height, depth=1, colour=0)
    return header + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def deep_rgb_png(colour: tuple[int, int, int], size: int = 16) -> bytes:
    """A PNG of 16 bits a channel."""
    row = b"\0" + struct.pack(">HHH", *colour) * size
    header = png_header(size, size, depth=16)
    return header + png_chunk(b"IDAT", zlib.compress(row * size)) + png_chunk(b"IEND", b"")
