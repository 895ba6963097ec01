"""The fused decoder: its shape over all backbones, and its maps computed a second time."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.training.pretext.tiny import CHANNELS, backbone
from training.backbone import BACKBONES, Backbone
from training.config.backbone import BackboneName
from training.decoders import FusedDecoder

Array = NDArray[np.float64]


def enlarged(features: Array, height: int, width: int) -> Array:
    """C,h,w as C,H,W: each pixel's centre between the centres of the cells around it."""
    down = weights(features.shape[1], height)
    across = weights(features.shape[2], width)
    return np.asarray(np.einsum("Yy,cyx,Xx->cYX", down, features, across))


def weights(cells: int, pixels: int) -> Array:
    """How much of every cell is in every pixel, pixels,cells."""
    centres = (np.arange(pixels) + 0.5) * cells / pixels - 0.5
    clipped = np.clip(centres, 0, cells - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(clipped[:, None] - np.arange(cells)[None])))


@pytest.mark.parametrize("name", list(BackboneName))
def test_a_decoder_has_four_widths_of_channels_at_the_inputs_size(name: BackboneName) -> None:
    spec = BACKBONES[name]
    with torch.device("meta"):  # shapes alone, at no cost
        network = Backbone(spec.cut(spec.build()), spec)
        decoder = FusedDecoder(network)
        decoded = decoder(network(torch.empty(2, 3, 64, 96)), (64, 96))
    assert decoder.channels == 4 * spec.decoder_width
    assert decoded.shape == (2, 4 * spec.decoder_width, 64, 96)


@pytest.mark.parametrize(
    ("name", "width"),
    [("resnet18", 64), ("vgg16_bn", 128), ("resnet50", 256), ("mobilenet_v2", 64)],
)
def test_the_widths_are_the_papers_and_our_own_for_the_small_one(name: str, width: int) -> None:
    assert BACKBONES[BackboneName(name)].decoder_width == width


@torch.inference_mode()
def test_channels_are_the_projected_stages_enlarged_in_their_order() -> None:
    network = backbone().eval()
    decoder = FusedDecoder(network)
    images = torch.randn(2, 3, 64, 40, generator=torch.Generator().manual_seed(1))
    maps = network(images)
    found = decoder(maps, (64, 40)).numpy()
    for stage, features in enumerate(maps):
        kernel = decoder.narrow.get_parameter(f"{stage}.weight").numpy()[:, :, 0, 0]
        bias = decoder.narrow.get_parameter(f"{stage}.bias").numpy()
        for image in range(2):
            given = features[image].double().numpy()
            projected = np.einsum("oc,chw->ohw", kernel, given) + bias[:, None, None]
            expected = enlarged(projected, 64, 40)
            np.testing.assert_allclose(
                found[image, 8 * stage : 8 * (stage + 1)], expected, rtol=1e-4, atol=1e-4
            )


def test_a_projection_is_one_by_one_and_has_no_activation() -> None:
    decoder = FusedDecoder(backbone())
    shapes = [
        tuple(part.weight.shape) for part in decoder.narrow if isinstance(part, torch.nn.Conv2d)
    ]
    assert shapes == [(8, channels, 1, 1) for channels in CHANNELS]
    maps = [torch.ones(1, channels, 2, 2) for channels in CHANNELS]
    assert float(decoder(maps, (4, 4)).detach().min()) < 0
