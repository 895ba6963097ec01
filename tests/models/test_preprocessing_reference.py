"""What a model sees against torchvision's own pipeline, which shares no code with ours."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.preprocessing import Interpolation, Preprocessing, Resize, preprocess

torch = pytest.importorskip("torch")
v2 = pytest.importorskip("torchvision.transforms.v2")

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _noise(width: int, height: int) -> Image.Image:
    """The hardest picture for a resampling filter."""
    random = np.random.default_rng(width * 1000 + height)
    return Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))


def _reference(image: Image.Image, interpolation: Interpolation, *steps: Any) -> Any:
    """Resize (the first step's size, antialiased), the other steps, scale, normalise."""
    size, *others = steps
    pipeline = v2.Compose(
        [
            v2.Resize(size, v2.InterpolationMode(interpolation.value), antialias=True),
            *others,
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )
    return pipeline(image).numpy()


@pytest.mark.parametrize("interpolation", Interpolation)
@pytest.mark.parametrize("size", [(64, 48), (31, 97), (224, 224), (500, 333), (9, 4)], ids=str)
@pytest.mark.parametrize(("side", "crop"), [(48, None), (64, 56), (33, 16)])
def test_squashing_equals_torchvision(
    size: tuple[int, int], side: int, crop: int | None, interpolation: Interpolation
) -> None:
    spec = Preprocessing(size=side, crop=crop, interpolation=interpolation, mean=MEAN, std=STD)
    crops = [] if crop is None else [_centre_crop((side, side), crop)]
    expected = _reference(_noise(*size), interpolation, (side, side), *crops)
    np.testing.assert_allclose(preprocess(_noise(*size), spec), expected, atol=1e-5)


@pytest.mark.parametrize("interpolation", Interpolation)
@pytest.mark.parametrize("size", [(64, 48), (48, 64), (30, 20), (200, 100), (24, 24)], ids=str)
def test_shorter_side_and_crop_equal_torchvision(
    size: tuple[int, int], interpolation: Interpolation
) -> None:
    spec = _shorter_side(24, 16, interpolation)
    expected = _reference(_noise(*size), interpolation, 24, v2.CenterCrop(16))
    np.testing.assert_allclose(preprocess(_noise(*size), spec), expected, atol=1e-5)


@pytest.mark.parametrize("interpolation", Interpolation)
@pytest.mark.parametrize(
    ("size", "scaled"), [((50, 67), (24, 32)), ((333, 500), (24, 36)), ((101, 25), (97, 24))]
)
def test_where_torchvision_cuts_the_longer_side_off_ours_is_rounded(
    size: tuple[int, int], scaled: tuple[int, int], interpolation: Interpolation
) -> None:
    width, height = scaled
    crop = _centre_crop(scaled, 16)
    expected = _reference(_noise(*size), interpolation, (height, width), crop)
    found = preprocess(_noise(*size), _shorter_side(24, 16, interpolation))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def _shorter_side(size: int, crop: int, interpolation: Interpolation) -> Preprocessing:
    return Preprocessing(
        resize=Resize.SHORTER_SIDE,
        size=size,
        crop=crop,
        interpolation=interpolation,
        mean=MEAN,
        std=STD,
    )


def _centre_crop(size: tuple[int, int], crop: int) -> Any:
    """torchvision's crop at our offset: where it rounds a half to even, we round down."""
    left, top = ((side - crop) // 2 for side in size)
    return v2.Lambda(lambda image: v2.functional.crop(image, top, left, crop, crop))
