"""What training and evaluation do to an image: pixels that say where they came from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from models.preprocessing import Preprocessing, preprocess
from training.transforms.augment import (
    evaluation_transform,
    random_crop,
    random_flip,
    random_scaled_crop,
    training_transform,
)

SPEC = Preprocessing(size=24, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))


def addressed(width: int, height: int) -> Image.Image:
    """An image whose red and green are a pixel's column and row."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return Image.fromarray(np.stack([columns, rows, 0 * rows], axis=2))


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


def noise(width: int = 40, height: int = 30) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    side=st.integers(1, 60),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_a_crop_is_a_square_from_inside_the_image(
    width: int, height: int, side: int, seed: int
) -> None:
    side = min(side, width, height)
    image = addressed(width, height)
    crop = pixels(random_crop(image, side, np.random.default_rng(seed)))
    left, top = int(crop[0, 0, 0]), int(crop[0, 0, 1])
    assert np.array_equal(crop, pixels(image)[top : top + side, left : left + side])
    assert crop.shape == (side, side, 3)


def test_a_crop_may_lie_anywhere() -> None:
    rng = np.random.default_rng(0)
    corners = [pixels(random_crop(addressed(4, 3), 2, rng))[0, 0, :2] for _ in range(200)]
    found = {(int(left), int(top)) for left, top in corners}
    assert found == {(left, top) for left in range(3) for top in range(2)}


def test_a_flip_mirrors_left_and_right_about_half_the_time() -> None:
    image, rng = addressed(4, 3), np.random.default_rng(0)
    flipped = [pixels(random_flip(image, rng)) for _ in range(200)]
    mirrored = sum(np.array_equal(one, pixels(image)[:, ::-1]) for one in flipped)
    kept = sum(np.array_equal(one, pixels(image)) for one in flipped)
    assert mirrored + kept == 200
    assert 70 < mirrored < 130


def test_evaluation_is_exactly_the_models_preprocessing() -> None:
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    found = evaluation_transform(SPEC)(noise(), rng)
    assert np.array_equal(found, preprocess(noise(), SPEC))
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("seed", range(4))
def test_training_sees_a_part_of_what_evaluation_sees_or_its_mirror(seed: int) -> None:
    whole = preprocess(noise(), SPEC)
    found = training_transform(SPEC, 20)(noise(), np.random.default_rng(seed))
    places = [
        seen[:, top : top + 20, left : left + 20]
        for seen in (whole, whole[:, :, ::-1])
        for top in range(5)
        for left in range(5)
    ]
    assert found.dtype == np.float32
    assert sum(np.array_equal(found, place) for place in places) == 1


def test_augmentation_repeats_with_its_generator() -> None:
    transform = training_transform(SPEC, 16)
    first, again, other = (
        transform(noise(), np.random.default_rng(seed)) for seed in ((1, 2), (1, 2), (1, 3))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_scaled_crop_shows_a_box_of_at_least_the_smallest_area() -> None:
    """In an image whose pixels say where they are, the crop's corners tell the box."""
    image = addressed(100, 100)
    rng = np.random.default_rng(0)
    areas, ratios = [], []
    for _ in range(300):
        pixels = np.asarray(random_scaled_crop(image, 50, rng, min_area=0.3), np.float64)
        width = (pixels[25, -1, 0] - pixels[25, 0, 0]) * 50 / 49
        height = (pixels[-1, 25, 1] - pixels[0, 25, 1]) * 50 / 49
        assert pixels.shape == (50, 50, 3)
        areas.append(width * height / 100**2)
        ratios.append(width / height)
    assert 0.27 < min(areas) < 0.35
    assert 0.9 < max(areas) <= 1.02
    assert 0.7 < min(ratios) < 0.8
    assert 1.25 < max(ratios) < 1.4


def test_a_training_transform_with_a_smallest_area_scales_its_crops() -> None:
    image = addressed(80, 70)
    scaled = training_transform(SPEC, 20, min_area=0.5)(image, np.random.default_rng(1))
    again = training_transform(SPEC, 20, min_area=0.5)(image, np.random.default_rng(1))
    plain = training_transform(SPEC, 20)(image, np.random.default_rng(1))
    assert scaled.shape == plain.shape == (3, 20, 20)
    assert np.array_equal(scaled, again)
    assert not np.array_equal(scaled, plain)
