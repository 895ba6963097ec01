"""Whole images of every kind that the service reads, small, so that all their bytes can be hit."""

from collections.abc import Callable, Mapping
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from tests.app.pictures import RED, encoded, noise, solid

SIZE = (24, 16)


def seeds() -> dict[str, bytes]:
    """Files by the format, a dot and what is special about them."""
    return {name: make() for name, make in _SEEDS.items()}


def _picture(mode: str = "RGB") -> Image.Image:
    return noise(SIZE).convert(mode)


def _moving(kind: str, **options: Any) -> bytes:
    frames = [solid(RED, SIZE), _picture().rotate(180)]
    return encoded(_picture(), kind, save_all=True, append_images=frames, duration=40, **options)


def _see_through() -> Image.Image:
    image = _picture("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(SIZE))
    return image


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "a description"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAltitude] = 1.5
    return exif


def _described(kind: str, **options: Any) -> bytes:
    return encoded(_picture(), kind, exif=_exif(), icc_profile=bytes(range(256)), **options)


def _texts() -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("plain", "text")
    texts.add_text("packed", "text " * 40, zip=True)
    texts.add_itxt("international", "text", zip=True)
    return texts


_SEEDS: Mapping[str, Callable[[], bytes]] = {
    "jpeg.baseline": lambda: encoded(_picture(), "JPEG"),
    "jpeg.progressive": lambda: encoded(_picture(), "JPEG", progressive=True),
    "jpeg.grey": lambda: encoded(_picture("L"), "JPEG"),
    "jpeg.cmyk": lambda: encoded(_picture("CMYK"), "JPEG"),
    "jpeg.restarts": lambda: encoded(_picture(), "JPEG", restart_marker_blocks=1, subsampling=0),
    "jpeg.described": lambda: _described("JPEG", comment=b"a comment"),
    "jpeg.frames": lambda: _moving("MPO"),
    "png.colour": lambda: encoded(_picture()),
    "png.grey": lambda: encoded(_picture("L")),
    "png.bits": lambda: encoded(_picture("1")),
    "png.alpha": lambda: encoded(_see_through()),
    "png.palette": lambda: encoded(_picture("P"), transparency=0),
    "png.wide": lambda: encoded(_picture("I;16")),
    "png.described": lambda: _described("PNG", pnginfo=_texts()),
    "png.frames": lambda: _moving("PNG"),
    "webp.lossy": lambda: encoded(_picture(), "WEBP"),
    "webp.lossless": lambda: encoded(_see_through(), "WEBP", lossless=True),
    "webp.alpha": lambda: encoded(_see_through(), "WEBP"),
    "webp.described": lambda: _described("WEBP"),
    "webp.frames": lambda: _moving("WEBP"),
    "gif.still": lambda: encoded(_picture(), "GIF", comment=b"a comment"),
    "gif.palette": lambda: encoded(_picture("P"), "GIF", transparency=0, interlace=True),
    "gif.frames": lambda: _moving("GIF", loop=0),
    "bmp.colour": lambda: encoded(_picture(), "BMP"),
    "bmp.palette": lambda: encoded(_picture("P"), "BMP"),
    "bmp.bits": lambda: encoded(_picture("1"), "BMP"),
    "bmp.alpha": lambda: encoded(_see_through(), "BMP"),
}
