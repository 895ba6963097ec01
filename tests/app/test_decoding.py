import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from app.decoding import decode
from app.errors import BrokenImage, ImageTooLarge, UnsupportedFormat
from models.preprocessing import Interpolation, preprocess
from tests.app.pictures import (
    BLUE,
    GREEN,
    PHOTOS,
    RED,
    WHITE,
    deep_rgb_png,
    encoded,
    halves,
    noise,
    png_chunk,
    png_header,
    solid,
    vast_png,
)
from tests.tiny_bundle import SPEC

LIMIT = 50_000_000


def _corner(content: bytes, *, place: tuple[int, int] = (0, 0)) -> tuple[int, ...]:
    pixel = decode(content, needed=16, max_pixels=LIMIT).rgb.getpixel(place)
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP"])
def test_lossless_formats_give_the_exact_colour(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = decode(encoded(solid(BLUE), kind, **options), needed=16, max_pixels=LIMIT)
    assert picture.rgb.getpixel((5, 5)) == BLUE
    assert (picture.format, picture.width, picture.height) == (kind, 32, 32)


def test_cmyk_jpeg_is_converted() -> None:
    red, green, blue = _corner(encoded(solid(RED).convert("CMYK"), "JPEG", quality=95))
    assert red > 240
    assert max(green, blue) < 15


def test_grey_jpeg_is_converted() -> None:
    assert _corner(encoded(Image.new("L", (32, 32), 100), "JPEG")) == (100, 100, 100)


def test_transparent_pixels_are_white() -> None:
    assert _corner(encoded(Image.new("RGBA", (32, 32), (255, 0, 0, 0)))) == WHITE


def test_palette_with_transparency_is_flattened() -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (16, 0, 32, 32))
    content = encoded(image, "PNG", transparency=0)
    assert _corner(content) == WHITE
    assert _corner(content, place=(31, 0)) == BLUE


def test_sixteen_bit_grey_keeps_its_upper_bits() -> None:
    wide = Image.fromarray(np.full((16, 16), 0x80FF, np.uint16))
    assert _corner(encoded(wide)) == (0x80, 0x80, 0x80)


def test_sixteen_bit_colour_keeps_its_upper_bits() -> None:
    assert _corner(deep_rgb_png((0xFFFF, 0x8000, 0))) == (255, 128, 0)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation_is_taken(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    frames = [solid(GREEN), solid(BLUE)]
    content = encoded(solid(RED), kind, save_all=True, append_images=frames, **options)
    assert _corner(content) == RED


def test_phone_pictures_of_several_frames_count_as_jpeg() -> None:
    content = encoded(
        noise((3200, 1600)), "MPO", save_all=True, append_images=[solid(BLUE, (64, 64))]
    )
    picture = decode(content, needed=224, max_pixels=LIMIT)
    assert (picture.format, picture.width, picture.height) == ("JPEG", 3200, 1600)
    assert picture.rgb.size == (1600, 800)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_image_is_turned_upright_and_its_size_is_the_upright_one(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = encoded(halves(RED, BLUE), "JPEG", quality=95, exif=exif)
    picture = decode(content, needed=16, max_pixels=LIMIT)
    sideways = orientation >= 5
    assert (picture.width, picture.height) == ((32, 64) if sideways else (64, 32))
    first, last = (
        picture.rgb.getpixel((1, 1)),
        picture.rgb.getpixel((picture.rgb.width - 2, picture.rgb.height - 2)),
    )
    assert isinstance(first, tuple)
    assert isinstance(last, tuple)
    red_comes_first = orientation in (1, 4, 5, 6)
    assert (first[0] > first[2]) is red_comes_first
    assert (last[0] > last[2]) is not red_comes_first


def test_large_jpeg_is_decoded_at_a_fraction_but_never_below_what_is_needed() -> None:
    picture = decode(encoded(noise((4000, 3000)), "JPEG"), needed=224, max_pixels=LIMIT)
    assert (picture.width, picture.height) == (4000, 3000)
    assert picture.rgb.size == (1000, 750)


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.name)
def test_fractional_decoding_hardly_changes_what_the_model_sees(path: Path) -> None:
    with Image.open(path) as opened:
        photo = opened.convert("RGB").resize((2048, 1536), Image.Resampling.LANCZOS)
    spec = SPEC.model_copy(update={"size": 224, "interpolation": Interpolation.BICUBIC})
    content = encoded(photo, "JPEG", quality=92)
    picture = decode(content, needed=224, max_pixels=LIMIT)
    assert picture.rgb.width < photo.width
    with Image.open(BytesIO(content)) as whole:
        expected = preprocess(whole.convert("RGB"), spec)
    difference = np.abs(preprocess(picture.rgb, spec) - expected)
    assert difference.mean() < 0.005


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"hello, I am a text named .jpg", "29 bytes"),
        (b"", "0 bytes"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "HEIC"),
        (b"II*\x00" + bytes(40), "TIFF"),
        (b"%PDF-1.7", "PDF"),
        (b"RIFF\x00\x00\x00\x00WAVE", "12 bytes"),
    ],
)
def test_other_formats_are_refused_by_their_name(content: bytes, named: str) -> None:
    with pytest.raises(UnsupportedFormat, match=named) as caught:
        decode(content, needed=16, max_pixels=LIMIT)
    assert "JPEG, PNG, WEBP, GIF, BMP" in caught.value.detail


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated_image_is_broken(kind: str, share: float) -> None:
    content = encoded(noise((90, 60)), kind)
    with pytest.raises(BrokenImage):
        decode(content[: int(len(content) * share)], needed=16, max_pixels=LIMIT)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_signature_alone_is_broken(kind: str) -> None:
    with pytest.raises(BrokenImage):
        decode(encoded(solid(), kind)[:14], needed=16, max_pixels=LIMIT)


def test_pixels_are_counted_before_they_are_decoded() -> None:
    content = vast_png()
    assert len(content) < 40_000
    with pytest.raises(ImageTooLarge):
        decode(content, needed=16, max_pixels=LIMIT)
    undecodable = png_header(15_000, 10_000) + png_chunk(b"IDAT", b"nonsense")
    with pytest.raises(ImageTooLarge, match="150,000,000"):
        decode(undecodable, needed=16, max_pixels=LIMIT)


def test_orientation_at_the_end_of_a_png_counts_too() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    content = encoded(halves(RED, BLUE), exif=exif)
    start = content.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(content[start : start + 4], "big")
    late = content[:start] + content[end:-12] + content[start:end] + content[-12:]
    for each in (content, late):
        picture = decode(each, needed=16, max_pixels=LIMIT)
        assert (picture.width, picture.height) == picture.rgb.size == (32, 64)


def test_jpeg_of_very_many_scans_is_refused_before_it_is_decoded() -> None:
    content = encoded(solid(size=(4000, 4000)), "JPEG", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    assert decode(content, needed=16, max_pixels=LIMIT).width == 4000
    with pytest.raises(BrokenImage, match="scans"):
        decode(content[:-2] + scan * 1000 + content[-2:], needed=16, max_pixels=LIMIT)


def test_image_of_exactly_the_limit_is_read() -> None:
    content = encoded(solid(size=(40, 25)))
    assert decode(content, needed=16, max_pixels=1000).width == 40
    with pytest.raises(ImageTooLarge, match="40x25 = 1,000 pixels"):
        decode(content, needed=16, max_pixels=999)


def test_warning_filters_are_as_before_after_decoding_on_many_threads() -> None:
    before = list(warnings.filters)
    content = encoded(noise((64, 64)), "JPEG")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: decode(content, needed=16, max_pixels=LIMIT), range(200)))
    assert warnings.filters == before


_SOURCES = [encoded(noise((40, 30)), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP")]


@settings(max_examples=150, deadline=None)
@given(
    source=st.sampled_from(_SOURCES),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=12),
)
def test_damaged_bytes_give_an_image_or_a_known_error(
    source: bytes, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(source)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    with suppress(BrokenImage, ImageTooLarge, UnsupportedFormat):
        assert decode(bytes(damaged), needed=16, max_pixels=1_000_000).rgb.mode == "RGB"
