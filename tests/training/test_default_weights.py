"""The weights that come with the code: the shipped default model's, and where they go."""

from itertools import pairwise
from pathlib import Path

import onnx
import pytest
import torch
from onnx import numpy_helper
from safetensors import safe_open
from torch import Tensor, nn

from models.bundle import file_sha256
from models.registry import SHIPPED, Registry
from training.backbone import DEFAULT_WEIGHTS, Backbone, WeightsUnavailable, build_backbone
from training.checkpoint import backbone_weights
from training.config.backbone import (
    BackboneConfig,
    BackboneName,
    DefaultModelWeights,
    FileWeights,
    Weights,
)
from training.default_weights import write_weights
from training.run import RunFolder

NAME = BackboneName.MOBILENET_V2
HALF = 2**-11
"""A number in half precision is within this share of what it was."""


def built(weights: Weights) -> Backbone:
    return build_backbone(BackboneConfig(name=NAME, weights=weights)).eval()


def told_digest(file: Path) -> str:
    """Of the weights that the file was made of."""
    with safe_open(file, framework="pt") as opened:
        return str(opened.metadata()["weights_sha256"])


def folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Kernel and bias of a convolution that does its BatchNorm's work too, as in evaluation."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return convolution.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


@torch.inference_mode()
def test_they_are_the_weights_of_the_shipped_default_model(tmp_path: Path) -> None:
    bundle = Registry(tmp_path, SHIPPED).path(*Registry(tmp_path, SHIPPED).resolve("default"))
    graph = onnx.load(bundle / "model.onnx").graph
    kept = {each.name: torch.tensor(numpy_helper.to_array(each)) for each in graph.initializer}
    layers = list(built(DefaultModelWeights()).named_modules())
    compared = 0
    for (name, layer), (_, following) in pairwise(layers):
        if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
            kernel, bias = folded(layer, following)
            key = f"backbone.{name}.weight"
            torch.testing.assert_close(kernel, kept[key], rtol=2 * HALF, atol=1e-5)
            torch.testing.assert_close(bias, kept[f"{key}_bias"], rtol=1e-4, atol=1e-4)
            compared += 1
    assert compared == 52


def test_they_are_of_the_run_that_the_default_model_names(tmp_path: Path) -> None:
    lineage = Registry(tmp_path, SHIPPED).open("default").manifest.lineage
    assert told_digest(DEFAULT_WEIGHTS / f"{NAME}.safetensors") == lineage.weights_sha256


def test_a_backbone_that_the_default_model_is_not_made_of_is_refused() -> None:
    config = BackboneConfig(name=BackboneName.RESNET18, weights=DefaultModelWeights())
    with pytest.raises(WeightsUnavailable, match=r"given backbone resnet18 .*expected mobilenet_v"):
        build_backbone(config)


def test_they_are_made_anew_of_a_run(uninterrupted: RunFolder, tmp_path: Path) -> None:
    file = write_weights(uninterrupted, NAME, tmp_path)
    assert told_digest(file) == file_sha256(uninterrupted.best_weights)
    own = backbone_weights(uninterrupted.best_weights)
    found = built(FileWeights(path=file)).state_dict()
    assert found.keys() == own.keys()
    for key, tensor in found.items():
        torch.testing.assert_close(tensor, own[key], rtol=HALF, atol=1e-7)
