"""Colours: CIE Lab of known colours, the paper's scalings, and the way back."""

import itertools

import numpy as np
import pytest

from training.colour import (
    GREY,
    Floats,
    chroma_from_scaled,
    lab_from_rgb,
    lightness_from_scaled,
    rgb_from_lab,
    scaled_chroma,
    scaled_lightness,
)


def pixel(*values: float) -> Floats:
    """One pixel, 3,1,1."""
    return np.array(values, dtype=np.float32).reshape(3, 1, 1)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (100, 0, 0)),
        ((128 / 255, 128 / 255, 128 / 255), (53.585, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((1, 1, 0), (97.14, -21.55, 94.48)),
    ],
)
def test_known_colours_have_their_published_lab_values(
    rgb: tuple[float, ...], lab: tuple[float, ...]
) -> None:
    np.testing.assert_allclose(lab_from_rgb(pixel(*rgb)), pixel(*lab), atol=0.02)


def test_red_is_the_first_channel_and_blue_the_last() -> None:
    red, blue = lab_from_rgb(pixel(1, 0, 0)), lab_from_rgb(pixel(0, 0, 1))
    assert red[2] > 60
    assert blue[2] < -100


def test_the_scalings_have_the_papers_values() -> None:
    lightness = np.array([0, 50, 75, 100], dtype=np.float32)
    chroma = np.array([-127, 0, 0.5, 128], dtype=np.float32)
    assert scaled_lightness(lightness).tolist() == [-1, 0, 0.5, 1]
    assert scaled_chroma(chroma).tolist() == pytest.approx([0, GREY, 0.5, 1])
    assert GREY == 127 / 255


def test_the_scalings_have_inverses() -> None:
    lightness = np.linspace(0, 100, 51, dtype=np.float32)
    chroma = np.linspace(-127, 128, 52, dtype=np.float32)
    np.testing.assert_allclose(
        lightness_from_scaled(scaled_lightness(lightness)), lightness, atol=1e-4
    )
    np.testing.assert_allclose(chroma_from_scaled(scaled_chroma(chroma)), chroma, atol=1e-4)


def test_every_displayable_colour_has_a_target_inside_the_sigmoids_range() -> None:
    steps = np.linspace(0, 1, 9)
    colours = np.array(list(itertools.product(steps, steps, steps)), dtype=np.float32)
    scaled = scaled_chroma(lab_from_rgb(colours.T[:, :, None])[1:])
    assert scaled.min() > 0.05
    assert scaled.max() < 0.95


def test_rgb_comes_back_from_lab_for_one_image_and_for_many() -> None:
    images = np.random.default_rng(0).random((2, 3, 5, 4)).astype(np.float32)
    lab = lab_from_rgb(images)
    assert lab.dtype == np.float32
    np.testing.assert_allclose(lab_from_rgb(images[1]), lab[1], atol=1e-4)
    np.testing.assert_allclose(rgb_from_lab(lab), images, atol=1e-3)


def test_a_colour_that_cannot_be_is_clipped_without_a_warning() -> None:
    chroma = np.linspace(-127, 128, 16, dtype=np.float32)
    wild = np.array(list(itertools.product([0, 5, 100], chroma, chroma)), dtype=np.float32)
    kept = wild.copy()
    found = rgb_from_lab(wild.T[:, :, None])
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1
    assert np.array_equal(wild, kept)
