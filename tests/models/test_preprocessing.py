from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from models.preprocessing import Interpolation, Preprocessing, Resize, preprocess, resized

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)
Colour = tuple[int, int, int]

SQUASH = Preprocessing(size=16, mean=(0, 0, 0), std=(1, 1, 1))
SHORTER = SQUASH.model_copy(update={"resize": Resize.SHORTER_SIDE, "crop": 16})
SPECS = [
    SQUASH.model_copy(update={"size": 32, "crop": crop, "resize": resize, "interpolation": filter})
    for resize, crop in [
        (Resize.SQUASH, None),
        (Resize.SQUASH, 9),
        (Resize.SHORTER_SIDE, 32),
        (Resize.SHORTER_SIDE, 9),
    ]
    for filter in Interpolation
]


def _columns(*colours: Colour, width: int, height: int) -> Image.Image:
    """Upright stripes of equal width, from left to right."""
    image = Image.new("RGB", (width * len(colours), height))
    for place, colour in enumerate(colours):
        image.paste(colour, (place * width, 0, (place + 1) * width, height))
    return image


def _rows(*colours: Colour, width: int, height: int) -> Image.Image:
    """Level stripes of equal height, from top to bottom."""
    upright = _columns(*colours, width=height, height=width)
    return upright.transpose(Image.Transpose.TRANSPOSE)


def _colours(image: Image.Image) -> set[Colour]:
    return {tuple(pixel) for pixel in np.asarray(image).reshape(-1, 3).tolist()}


def test_pixel_values_are_as_worked_out_by_hand() -> None:
    spec = Preprocessing(size=8, mean=(0.5, 0.25, 0.4), std=(0.5, 0.25, 0.2))
    found = preprocess(Image.new("RGB", (8, 8), (255, 0, 51)), spec)
    # (1 - .5) / .5, (0 - .25) / .25, (.2 - .4) / .2
    expected = np.broadcast_to(np.array([1, -1, -1])[:, None, None], (3, 8, 8))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_every_grey_level_is_its_share_of_255() -> None:
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert("RGB")
    found = preprocess(ramp, SQUASH)
    np.testing.assert_allclose(found[0], np.arange(256).reshape(16, 16) / 255, atol=1e-7)


def test_channels_and_places_are_not_swapped() -> None:
    found = preprocess(_columns(RED, BLUE, width=8, height=16), SQUASH)
    assert (found[0, :, :8] == 1).all()
    assert (found[2, :, 8:] == 1).all()
    assert found.sum() == 16 * 16
    found = preprocess(_rows(GREEN, BLUE, width=16, height=8), SQUASH)
    assert (found[1, :8] == 1).all()
    assert (found[2, 8:] == 1).all()


def test_squashing_keeps_all_of_the_image() -> None:
    found = resized(_columns(RED, GREEN, BLUE, GREY, width=40, height=10), SQUASH)
    assert found.size == (16, 16)
    assert [found.getpixel((x, 8)) for x in (0, 6, 10, 15)] == [RED, GREEN, BLUE, GREY]


@pytest.mark.parametrize("stripes", [_columns, _rows])
def test_of_a_long_image_the_middle_is_seen(stripes: Callable[..., Image.Image]) -> None:
    image = stripes(RED, GREEN, BLUE, width=20, height=20)
    spec = SHORTER.model_copy(update={"size": 20, "crop": 20})
    assert _colours(resized(image, spec)) == {GREEN}


def test_centre_crop_takes_as_much_from_all_four_sides() -> None:
    image = Image.new("RGB", (32, 32), RED)
    image.paste(GREEN, (8, 8, 24, 24))
    spec = SQUASH.model_copy(update={"size": 32, "crop": 16})
    assert _colours(resized(image, spec)) == {GREEN}
    wider = spec.model_copy(update={"crop": 18})
    seen = np.asarray(resized(image, wider))[..., 0] == 255
    assert seen[[0, -1]].all()
    assert seen[:, [0, -1]].all()
    assert not seen[1:-1, 1:-1].any()


def test_shorter_side_keeps_the_proportions() -> None:
    # 64 x 32 becomes 32 x 16, of which the crop sees the middle 16 columns: half red, half blue.
    found = np.asarray(resized(_columns(RED, BLUE, width=32, height=32), SHORTER))
    assert (found[:, :7] == RED).all()
    assert (found[:, 9:] == BLUE).all()


@pytest.mark.parametrize("size", [(1, 1000), (1000, 1), (3, 1000), (1, 1_000_001)])
def test_of_an_extreme_image_the_middle_is_seen(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, BLUE)
    width, height = size
    if width > height:
        image.paste(GREEN, (width // 2 - 4 * height, 0, width // 2 + 4 * height + 1, height))
    else:
        image.paste(GREEN, (0, height // 2 - 4 * width, width, height // 2 + 4 * width + 1))
    assert _colours(resized(image, SHORTER)) == {GREEN}
    assert preprocess(image, SQUASH).shape == (3, 16, 16)


@pytest.mark.parametrize("size", [(1, 1_000_000), (1_000_000, 1)])
def test_a_thread_of_an_image_does_not_fill_the_memory(size: tuple[int, int]) -> None:
    spec = SHORTER.model_copy(update={"size": 256, "crop": 224})
    found = preprocess(Image.new("RGB", size, RED), spec)  # whole, it would be 256 x 256,000,000
    assert found.shape == (3, 224, 224)
    assert (found[0] == 1).all()


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_one_pixel_fills_the_whole_input(spec: Preprocessing) -> None:
    found = preprocess(Image.new("RGB", (1, 1), GREEN), spec)
    assert (found == np.array([0, 1, 0])[:, None, None]).all()


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    spec=st.sampled_from(SPECS),
)
def test_one_colour_of_any_size_stays_that_colour_in_the_right_shape(
    size: tuple[int, int], colour: Colour, spec: Preprocessing
) -> None:
    found = preprocess(Image.new("RGB", size, colour), spec)
    assert found.shape == spec.input_shape
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    expected = np.array(colour)[:, None, None] / 255
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-6)


def test_the_image_itself_is_left_as_it_was() -> None:
    image = _columns(RED, GREEN, BLUE, width=30, height=20)
    before = image.copy()
    for spec in SPECS:
        preprocess(image, spec)
    assert image == before


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK", "P", "I;16"])
def test_an_image_that_is_not_rgb_is_refused(mode: str) -> None:
    with pytest.raises(ValueError, match=f"expected an RGB image, got mode '{mode}'"):
        preprocess(Image.new(mode, (16, 16)), SQUASH)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": 16, "crop": 17}, "crop 17 is larger than the resized image 16"),
        ({"resize": "shorter_side"}, "needs a crop"),
        ({"std": (1, 0, 1)}, "std must be positive"),
        ({"std": (1, 1, -1)}, "std must be positive"),
        ({"std": (1, float("nan"), 1)}, "finite"),
        ({"mean": (0, 0, float("inf"))}, "finite"),
        ({"mean": (0, 0)}, "Field required"),
        ({"size": 7}, "greater than or equal to 8"),
        ({"size": 5000}, "less than or equal to 4096"),
        ({"crop": 0}, "greater than or equal to 8"),
        ({"interpolation": "nearest"}, "'bilinear', 'bicubic' or 'lanczos'"),
        ({"resize": "pad"}, "'squash' or 'shorter_side'"),
        ({"colour": "rgb"}, "Extra inputs"),
    ],
    ids=str,
)
def test_a_specification_that_cannot_be_met_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Preprocessing.model_validate({**SQUASH.model_dump(), **change})


def test_a_crop_of_the_whole_is_allowed_and_changes_nothing() -> None:
    image = _columns(RED, GREEN, BLUE, width=30, height=20)
    whole = SQUASH.model_copy(update={"crop": 16})
    assert whole.input_shape == SQUASH.input_shape == (3, 16, 16)
    assert (preprocess(image, whole) == preprocess(image, SQUASH)).all()


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_specification_survives_json(spec: Preprocessing) -> None:
    assert Preprocessing.model_validate_json(spec.model_dump_json()) == spec
