from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image

from models.pixels import FORMATS, as_rgb

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255,) * 3, (0,) * 3
Colour = tuple[int, ...]
BLOCK = 16

LOSSLESS: dict[str, dict[str, Any]] = {"PNG": {}, "WEBP": {"lossless": True}, "GIF": {}, "BMP": {}}


def _one_pixel(mode: str, value: Any) -> Image.Image:
    image = Image.new(mode, (1, 1))
    if mode in ("P", "PA"):
        image.putpalette([*RED, *GREEN, *BLUE])
    image.putpixel((0, 0), value)
    return image


def _pixel(image: Image.Image, place: tuple[int, int] = (0, 0)) -> Colour:
    rgb = as_rgb(image)
    assert rgb.mode == "RGB"
    return tuple(np.asarray(rgb)[place[1], place[0]].tolist())


def _file(image: Image.Image, kind: str, **options: Any) -> Image.Image:
    """The image written to a file and opened again as the app and training open one."""
    file = BytesIO()
    image.save(file, kind, **options)
    return Image.open(file, formats=FORMATS)


def _quadrants() -> Image.Image:
    """Red and green above, blue and white below."""
    image = Image.new("RGB", (2 * BLOCK, 2 * BLOCK), RED)
    image.paste(GREEN, (BLOCK, 0, 2 * BLOCK, BLOCK))
    image.paste(BLUE, (0, BLOCK, BLOCK, 2 * BLOCK))
    image.paste(WHITE, (BLOCK, BLOCK, 2 * BLOCK, 2 * BLOCK))
    return image


MODES: dict[str, list[tuple[Any, Colour]]] = {
    "1": [(0, BLACK), (1, WHITE)],
    "L": [(0, BLACK), (100, (100,) * 3), (255, WHITE)],
    # 100 * 128/255 + 255 * 127/255 = 177.2
    "LA": [((100, 255), (100,) * 3), ((100, 128), (177,) * 3), ((100, 0), WHITE)],
    "La": [((100, 255), (100,) * 3), ((0, 0), WHITE)],
    "P": [(0, RED), (2, BLUE)],
    "PA": [((1, 255), GREEN), ((1, 0), WHITE)],
    "RGB": [((1, 2, 3), (1, 2, 3))],
    "RGBX": [((1, 2, 3, 0), (1, 2, 3))],
    # 0 * 128/255 + 255 * 127/255 = 127; and 255 * 64/255 + 255 * 191/255, 255 * 191/255
    "RGBA": [
        ((1, 2, 3, 255), (1, 2, 3)),
        ((255, 0, 0, 128), (255, 127, 127)),
        ((0, 0, 255, 64), (191, 191, 255)),
        ((1, 2, 3, 0), WHITE),
    ],
    "RGBa": [((128, 0, 0, 128), (255, 127, 127)), ((0, 0, 0, 0), WHITE)],
    "CMYK": [((0, 255, 255, 0), RED), ((0, 0, 0, 255), BLACK), ((0, 0, 0, 0), WHITE)],
    "I;16": [(0x80FF, (0x80,) * 3), (0x00FF, BLACK), (0xFFFF, WHITE)],
    "I;16B": [(0x80FF, (0x80,) * 3)],
    "I;16L": [(0x80FF, (0x80,) * 3)],
    "I;16N": [(0x80FF, (0x80,) * 3)],
    "I": [(0x80FF, (0x80,) * 3), (255, BLACK), (70_000, WHITE), (-5, BLACK)],
    "F": [(99.7, (99,) * 3), (300.0, WHITE), (-5.0, BLACK)],
    "HSV": [((0, 255, 255), RED), ((85, 255, 255), GREEN), ((7, 0, 255), WHITE)],
}
"""What a pixel of each of Pillow's modes looks like."""

COLOUR_SPACES: dict[str, list[tuple[Colour, Colour]]] = {
    "YCbCr": [((255, 128, 128), WHITE), ((76, 85, 255), RED), ((29, 255, 107), BLUE)],
    # L 54.3, a 80.8, b 69.9: the red of sRGB under D50
    "LAB": [((138, 209, 198), RED), ((255, 128, 128), WHITE), ((0, 128, 128), BLACK)],
}


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [(mode, *case) for mode, cases in MODES.items() for case in cases],
)
def test_every_mode_becomes_the_rgb_that_it_shows(mode: str, value: Any, expected: Colour) -> None:
    assert _pixel(_one_pixel(mode, value)) == expected


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [(mode, *case) for mode, cases in COLOUR_SPACES.items() for case in cases],
)
def test_other_colour_spaces_come_close_to_the_rgb_they_mean(
    mode: str, value: Colour, expected: Colour
) -> None:
    assert _pixel(_one_pixel(mode, value)) == pytest.approx(expected, abs=6)


def test_no_mode_of_pillow_is_left_out() -> None:
    assert set(Image.MODES) <= {*MODES, *COLOUR_SPACES}


def test_sixteen_bit_file_keeps_its_upper_bits() -> None:
    wide = Image.fromarray(np.array([[0x0100, 0x7FFF, 0xFFFF]], np.uint16))
    opened = _file(wide, "PNG")
    assert [_pixel(opened, (x, 0))[0] for x in range(3)] == [1, 0x7F, 0xFF]


@pytest.mark.parametrize(
    ("image", "transparent", "other"),
    [
        (Image.fromarray(np.array([[10, 200]], np.uint8)), 10, (200,) * 3),
        (Image.fromarray(np.array([[1000, 0x80FF]], np.uint16)), 1000, (0x80,) * 3),
        (Image.fromarray(np.array([[(1, 2, 3), (9, 8, 7)]], np.uint8)), (1, 2, 3), (9, 8, 7)),
    ],
    ids=["L", "I;16", "RGB"],
)
def test_the_colour_that_a_png_declares_transparent_is_white(
    image: Image.Image, transparent: Any, other: Colour
) -> None:
    opened = _file(image, "PNG", transparency=transparent)
    assert opened.mode == image.mode
    assert (_pixel(opened), _pixel(opened, (1, 0))) == (WHITE, other)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_entry_is_white(kind: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    opened = _file(image, kind, transparency=0)
    assert (_pixel(opened), _pixel(opened, (1, 0))) == (WHITE, BLUE)


def test_half_transparent_palette_entry_is_blended() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    opened = _file(image, "PNG", transparency=bytes([255, 128]))
    assert (_pixel(opened), _pixel(opened, (1, 0))) == (RED, (127, 127, 255))


STORED: dict[int, tuple[str, str]] = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}
"""EXIF 2.32, tag 0x0112: which side of the upright picture row 0 and column 0 of the file are."""


def _stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    row, column = STORED[orientation]
    turned = upright.swapaxes(0, 1) if row in ("left", "right") else upright
    turned = turned[::-1] if row in ("right", "bottom") else turned
    return turned[:, ::-1] if column in ("right", "bottom") else turned


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_gives_the_upright_picture(orientation: int, kind: str) -> None:
    upright = np.asarray(_quadrants().resize((64, 32), Image.Resampling.NEAREST))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = Image.fromarray(np.ascontiguousarray(_stored(upright, orientation)))
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else LOSSLESS[kind]
    found = as_rgb(_file(stored, kind, exif=exif, **options))
    assert found.size == (64, 32)
    assert np.abs(np.asarray(found).astype(int) - upright).max() <= (10 if kind == "JPEG" else 0)
    assert as_rgb(found) == found  # the tag is gone: nothing is turned twice


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read_as_it_was_written(kind: str) -> None:
    options = LOSSLESS.get(kind, {"quality": 95, "subsampling": 0})
    opened = _file(_quadrants(), kind, **options)
    assert opened.format == kind
    difference = np.abs(np.asarray(as_rgb(opened)).astype(int) - np.asarray(_quadrants()))
    assert difference.max() <= (0 if kind in LOSSLESS else 10)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation_is_taken_unless_another_was_chosen(kind: str) -> None:
    first, *others = (Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE))
    opened = _file(first, kind, save_all=True, append_images=others, **LOSSLESS[kind])
    assert _pixel(opened) == RED
    opened.seek(2)
    assert _pixel(opened) == BLUE


def test_the_image_itself_is_left_as_it_was() -> None:
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    as_rgb(image)
    assert image == Image.new("RGBA", (4, 4), (255, 0, 0, 128))


def test_rgb_stays_the_same_pixels() -> None:
    assert as_rgb(_quadrants()) == _quadrants()


def test_an_upright_rgb_image_is_not_copied() -> None:
    image = Image.new("RGB", (8, 6), (1, 2, 3))
    assert as_rgb(image) is image
