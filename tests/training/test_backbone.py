"""Backbones over the whole table: what they declare is what comes out, and it is torchvision's."""

import math
from pathlib import Path

import pytest
import torch
import torchvision.models as tv
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.training.generated import ROOT
from training.backbone import BACKBONES, Backbone, build_backbone
from training.config.backbone import BackboneConfig, BackboneName, FileWeights

EVERY_BACKBONE = pytest.mark.parametrize("name", list(BackboneName))
SIDE = 64


def without_classifier(name: BackboneName) -> nn.Module:
    """torchvision's network, built on no memory at all: its classifier can have 500 MB."""
    with torch.device("meta"):
        network = BACKBONES[name].build()
    for part in ("fc", "classifier"):
        if hasattr(network, part):
            setattr(network, part, nn.Identity())
    return network.to_empty(device="cpu").eval()


def drawn(network: nn.Module) -> nn.Module:
    """Random weights and statistics under which signals neither vanish nor explode."""
    generator = torch.Generator().manual_seed(0)
    for key, value in network.state_dict().items():
        if value.ndim == 4:
            value.normal_(0, math.sqrt(2 / value[0].numel()), generator=generator)
        elif key.endswith(("bias", "running_mean")):
            value.normal_(0, 0.1, generator=generator)
        elif value.is_floating_point():
            value.uniform_(0.5, 1.0, generator=generator)
        else:
            value.zero_()
    return network


def own_features(network: nn.Module, images: Tensor) -> Tensor:
    """The last feature map as torchvision's own forward pass makes it."""
    if isinstance(network, tv.ResNet):
        stem = network.maxpool(network.relu(network.bn1(network.conv1(images))))
        features: Tensor = network.layer4(network.layer3(network.layer2(network.layer1(stem))))
        return features
    layers = network.features
    assert isinstance(layers, nn.Sequential)
    last_is_a_pool = isinstance(layers[-1], nn.MaxPool2d)
    cut: Tensor = layers[:-1](images) if last_is_a_pool else layers(images)
    return cut


def images(count: int) -> Tensor:
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def cut(name: BackboneName, network: nn.Module) -> Backbone:
    return Backbone(BACKBONES[name].cut(network), BACKBONES[name]).eval()


def from_file(name: BackboneName, path: Path) -> Backbone:
    return build_backbone(BackboneConfig(name=name, weights=FileWeights(path=path))).eval()


def test_every_name_has_a_backbone() -> None:
    assert set(BACKBONES) == set(BackboneName)


@EVERY_BACKBONE
@torch.inference_mode()
def test_weights_of_a_file_give_torchvisions_own_features(
    name: BackboneName, tmp_path: Path
) -> None:
    network = drawn(without_classifier(name))
    file = tmp_path / "weights.safetensors"
    classifier = {"fc.bias": torch.ones(3), "classifier.6.bias": torch.ones(3)}
    save_file(network.state_dict() | classifier, file)
    expected = own_features(network, images(2))
    found = from_file(name, file)(images(2))[-1]
    assert float(expected.std()) > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


@EVERY_BACKBONE
@torch.inference_mode()
def test_maps_have_the_channels_and_strides_that_are_declared(name: BackboneName) -> None:
    backbone = cut(name, drawn(without_classifier(name)))
    shapes = [tuple(features.shape) for features in backbone(images(2))]
    declared = zip(backbone.channels, backbone.strides, strict=True)
    assert shapes == [
        (2, channels, SIDE // stride, SIDE // stride) for channels, stride in declared
    ]


@EVERY_BACKBONE
@torch.inference_mode()
def test_an_odd_size_is_rounded_up_by_resnets_and_never_fails(name: BackboneName) -> None:
    backbone = cut(name, drawn(without_classifier(name)))
    last = backbone(images(1)[..., :50, :50])[-1]
    side = 50 / backbone.strides[-1]
    assert last.shape[2] in (math.floor(side), math.ceil(side))


@EVERY_BACKBONE
@torch.inference_mode()
def test_a_batch_of_one_is_what_it_is_among_others(name: BackboneName) -> None:
    backbone = cut(name, drawn(without_classifier(name)))
    together = backbone(images(2))
    for alone, features in zip(backbone(images(2)[:1]), together, strict=True):
        scale = float(features.abs().max())
        torch.testing.assert_close(alone, features[:1], rtol=1e-4, atol=1e-5 * scale)


@EVERY_BACKBONE
def test_every_parameter_of_the_feature_extractor_is_used_once(name: BackboneName) -> None:
    network = without_classifier(name)
    used = [
        id(parameter) for stage in cut(name, network).stages for parameter in stage.parameters()
    ]
    assert sorted(used) == sorted(id(parameter) for parameter in network.parameters())


def test_no_other_module_knows_a_backbone_by_name() -> None:
    sources = {*(ROOT / "training").rglob("*.py")}
    tables = {ROOT / "training" / "backbone.py", ROOT / "training" / "config" / "backbone.py"}
    assert tables < sources
    names = [*BackboneName, "BackboneName."]
    knowing = [
        source.relative_to(ROOT)
        for source in sources - tables
        if any(name in source.read_text(encoding="utf-8") for name in names)
    ]
    assert knowing == []
