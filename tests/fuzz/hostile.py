"""Files made with intent: more pixels than bytes, two formats at once, heaps of metadata."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache

from PIL import Image, PngImagePlugin

from tests.app.pictures import RED, encoded, noise, png_chunk, png_header, solid, vast_png

_PNG_END = png_chunk(b"IEND", b"")
_PICTURE = (32, 24)
_VAST = 150_000_000
"""Bytes that nothing may unpack in memory."""

_FLOOD = 1_000_000
"""Pieces; a decoder that takes each in hand is busy for seconds."""


def hostile() -> dict[str, bytes]:
    """Files by what they try."""
    return {name: make() for name, make in _HOSTILE.items()}


def _row_of_png(*chunks: bytes) -> bytes:
    """A PNG of one pixel with more chunks before its pixels."""
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
    return png_header(1, 1) + b"".join(chunks) + pixels + _PNG_END


def _short_png(width: int, height: int) -> bytes:
    """Promises many pixels and has hardly any."""
    return png_header(width, height) + png_chunk(b"IDAT", zlib.compress(bytes(100))) + _PNG_END


@cache
def _packed(size: int) -> bytes:
    """Zeros that unpack to `size` bytes."""
    return zlib.compress(bytes(size), 1)


def _many_texts() -> bytes:
    chunk = png_chunk(b"zTXt", b"a\0\0" + _packed(900_000))
    return _row_of_png(*[chunk] * 200)


def _jpeg_segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _jpeg_with(*segments: bytes) -> bytes:
    content = encoded(noise(_PICTURE), "JPEG")
    return content[:2] + b"".join(segments) + content[2:]


def _jpeg_claims(width: int, height: int) -> bytes:
    """A JPEG whose frame header says another size."""
    content = encoded(noise(_PICTURE), "JPEG")
    frame = content.index(b"\xff\xc0")
    return content[: frame + 5] + struct.pack(">HH", height, width) + content[frame + 9 :]


def _many_scans() -> bytes:
    content = encoded(solid(size=(1000, 1000)), "JPEG", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + scan * 2000 + content[-2:]


def _circular_exif() -> bytes:
    """A directory of tags whose next directory is itself."""
    tags = struct.pack("<HHHLL", 1, 0x0112, 3, 1, 6) + struct.pack("<L", 8)
    return _jpeg_with(_jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + tags))


def _greedy_exif() -> bytes:
    """Tags that claim four thousand million values each."""
    tags = b"".join(struct.pack("<HHLL", 0x010E + n, 2, 0xFFFFFFFF, 8) for n in range(200))
    body = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 200) + tags
    return _jpeg_with(_jpeg_segment(0xE1, body))


def _gif_claims(width: int, height: int) -> bytes:
    content = encoded(noise(_PICTURE), "GIF")
    return content[:6] + struct.pack("<HH", width, height) + content[10:]


def _gif_with(blocks: bytes) -> bytes:
    content = encoded(noise(_PICTURE), "GIF")
    start = content.index(b"\x2c", 13 + 3 * 2 ** ((content[10] & 7) + 1))
    return content[:start] + blocks + content[start:]


def _many_frames(kind: str) -> bytes:
    frames = [noise((8, 8), seed=seed) for seed in range(300)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=20)


def _bmp_claims(width: int, height: int) -> bytes:
    content = encoded(noise(_PICTURE), "BMP")
    return content[:18] + struct.pack("<ii", width, height) + content[26:]


def _run_length_bmp(width: int, height: int, runs: bytes) -> bytes:
    content = encoded(noise(_PICTURE).convert("P"), "BMP")
    start = struct.unpack_from("<I", content, 10)[0]
    size, packed = struct.pack("<ii", width, height), struct.pack("<I", 1)
    return content[:18] + size + content[26:30] + packed + content[34:start] + runs


def _with_zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("evil.sh", "#!/bin/sh\n")
    return encoded(noise(_PICTURE), "JPEG") + archive.getvalue()


def _gif_script() -> bytes:
    """The signature of a GIF that is also a comment's start in JavaScript."""
    return b"GIF89a/*" + encoded(noise(_PICTURE), "GIF")[8:] + b"*/=1;alert(1)"


def _texts_of_html() -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "<script>alert(document.domain)</script>")
    return encoded(noise(_PICTURE), pnginfo=texts)


def _other(kind: str) -> Callable[[], bytes]:
    """A whole image of a format that is not read."""
    return lambda: encoded(noise(_PICTURE), kind)


_HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "bomb.png": vast_png,
    "bomb.png_below_the_limit": lambda: encoded(Image.new("1", (1000, 990))),
    "bomb.png_see_through": lambda: encoded(Image.new("RGBA", (1000, 990), (9, 9, 9, 9))),
    "bomb.png_palette": lambda: encoded(Image.new("P", (1000, 990)), transparency=0),
    "bomb.png_one_row": lambda: encoded(Image.new("1", (1_000_000, 1))),
    "bomb.png_short": lambda: _short_png(1000, 990),
    "bomb.png_largest": lambda: _short_png(2**31 - 1, 2**31 - 1),
    "bomb.png_nothing": lambda: _short_png(0, 0),
    "bomb.png_text": lambda: _row_of_png(png_chunk(b"zTXt", b"a\0\0" + _packed(_VAST))),
    "bomb.png_texts": _many_texts,
    "bomb.png_profile": lambda: _row_of_png(png_chunk(b"iCCP", b"a\0\0" + _packed(_VAST))),
    "bomb.png_pixels_too_many": lambda: (
        png_header(8, 8) + png_chunk(b"IDAT", _packed(_VAST)) + _PNG_END
    ),
    "bomb.png_frames": lambda: _many_frames("PNG"),
    "bomb.jpeg": lambda: _jpeg_claims(65_500, 65_500),
    "bomb.jpeg_below_the_limit": lambda: _jpeg_claims(1000, 990),
    "bomb.jpeg_nothing": lambda: _jpeg_claims(0, 0),
    "bomb.jpeg_scans": _many_scans,
    "bomb.jpeg_comments": lambda: _jpeg_with(*[_jpeg_segment(0xFE, bytes(65_000))] * 300),
    "bomb.jpeg_profile": lambda: _jpeg_with(
        *[
            _jpeg_segment(0xE2, b"ICC_PROFILE\0" + bytes((n + 1, 255)) + bytes(65_000))
            for n in range(255)
        ]
    ),
    "bomb.jpeg_exif": lambda: _jpeg_with(*[_jpeg_segment(0xE1, b"Exif\0\0" + bytes(65_000))] * 200),
    "bomb.jpeg_circular_exif": _circular_exif,
    "bomb.jpeg_greedy_exif": _greedy_exif,
    "bomb.gif": lambda: _gif_claims(65_535, 65_535),
    "bomb.gif_below_the_limit": lambda: _gif_claims(1000, 990),
    "bomb.gif_frames": lambda: _many_frames("GIF"),
    "bomb.webp": lambda: encoded(solid(size=(4000, 4000)), "WEBP"),
    "bomb.webp_frames": lambda: _many_frames("WEBP"),
    "bomb.bmp": lambda: _bmp_claims(2**31 - 1, 2**31 - 1),
    "bomb.bmp_upside_down": lambda: _bmp_claims(2000, -(2**31)),
    "bomb.bmp_negative": lambda: _bmp_claims(-2000, 1000),
    "bomb.bmp_below_the_limit": lambda: _bmp_claims(1000, 990),
    "bomb.bmp_jump": lambda: _run_length_bmp(900_000, 1, b"\0\x02\xff\xff" * 2),
    "flood.png_chunks": lambda: _row_of_png(png_chunk(b"teSt", b"") * (_FLOOD // 3)),
    "flood.jpeg_fill": lambda: _jpeg_with(b"\xff" * _FLOOD),
    "flood.jpeg_comments": lambda: _jpeg_with(_jpeg_segment(0xFE, b"") * (_FLOOD // 2)),
    "flood.bmp_jumps": lambda: _run_length_bmp(990, 990, b"\0\x02\0\0" * _FLOOD),
    "flood.bmp_runs": lambda: _run_length_bmp(990, 990, b"\x01\x01" * _FLOOD),
    "flood.gif_comments": lambda: _gif_with(b"\x21\xfe\x01a\0" * _FLOOD),
    "polyglot.jpeg_zip": _with_zip,
    "polyglot.gif_script": _gif_script,
    "polyglot.png_html": _texts_of_html,
    "polyglot.jpeg_php": lambda: _jpeg_with(_jpeg_segment(0xFE, b"<?php phpinfo(); ?>")),
    "polyglot.pdf_jpeg": lambda: b"%PDF-1.7\n" + encoded(noise(_PICTURE), "JPEG"),
    "polyglot.html_png": lambda: b"<html>" + encoded(noise(_PICTURE)),
    "polyglot.png_in_webp": lambda: b"RIFF\x00\x10\x00\x00WEBP" + encoded(noise(_PICTURE)),
    "polyglot.gif_in_bmp": lambda: b"BM" + encoded(noise(_PICTURE), "GIF"),
    "other.tiff": _other("TIFF"),
    "other.ico": _other("ICO"),
    "other.pdf": _other("PDF"),
    "other.eps": _other("EPS"),
    "other.ppm": _other("PPM"),
    "other.tga": _other("TGA"),
    "other.jpeg2000": _other("JPEG2000"),
    "other.svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>',
    "other.html": lambda: b"<!doctype html><script>alert(1)</script>",
    "other.text": lambda: "nothing but text ✂".encode() * 100,
    "other.zeros": lambda: bytes(100_000),
    "other.red": lambda: bytes(RED) * 1000,
}
