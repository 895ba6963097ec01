import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from app.heatmap import overlay_png, seen
from models.preprocessing import Preprocessing, Resize
from tests.app.pictures import BLUE, GREEN, RED, halves, solid
from tests.tiny_bundle import SPEC

CROPPED = Preprocessing(resize=Resize.SHORTER_SIDE, size=32, crop=16, mean=(0, 0, 0), std=(1, 1, 1))


def _overlay(image: Image.Image, grid: list[list[float]]) -> Image.Image:
    png = overlay_png(image, np.array(grid, np.float32), SPEC)
    return Image.open(BytesIO(base64.b64decode(png)), formats=("PNG",))


def test_overlay_keeps_the_proportions_of_the_image() -> None:
    assert _overlay(solid(size=(60, 30)), [[0, 1], [0, 1]]).size == (448, 224)


def test_overlay_is_strong_where_the_evidence_is() -> None:
    overlay = np.asarray(_overlay(solid(BLUE, (64, 64)), [[0, 1], [0, 1]]), np.int64)
    weak, strong = overlay[:, :100].mean((0, 1)), overlay[:, -100:].mean((0, 1))
    assert strong[0] > weak[0] + 100


def test_overlay_of_a_flat_map_is_even() -> None:
    overlay = np.asarray(_overlay(solid(GREEN), [[3, 3], [3, 3]]))
    assert (overlay == overlay[0, 0]).all()


def test_squashed_image_is_seen_whole() -> None:
    view = np.asarray(seen(halves(RED, BLUE), SPEC))
    assert tuple(view[0, 0]) == RED
    assert tuple(view[0, -1]) == BLUE


@pytest.mark.parametrize("size", [(96, 32), (32, 96)])
def test_of_a_cropped_image_the_centre_is_seen(size: tuple[int, int]) -> None:
    image = solid(RED, size)
    left, top = (size[0] - 16) // 2, (size[1] - 16) // 2
    image.paste(GREEN, (left, top, left + 16, top + 16))
    view = seen(image, CROPPED)
    assert view.size == (448, 448)
    assert tuple(np.asarray(view)[224, 224]) == GREEN
    assert (np.asarray(view)[30:-30, 30:-30] == GREEN).all()


def test_a_strip_of_one_pixel_has_an_overlay() -> None:
    assert _overlay(solid(size=(1000, 1)), [[0, 1], [0, 1]]).size == (448, 1)
