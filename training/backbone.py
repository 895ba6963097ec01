"""Backbones cut into four stages behind one interface; nothing else ever asks for their names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import safetensors.torch
import torch
import torchvision.models as tv
from torch import Tensor, nn

from training.checkpoint import backbone_weights
from training.config.backbone import (
    BackboneConfig,
    BackboneName,
    DefaultModelWeights,
    FileWeights,
    RandomWeights,
    RunWeights,
    TorchvisionWeights,
)
from training.errors import TrainingError
from training.run import RunFolder

DEFAULT_WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the default model's backbone, in a file that is called by the backbone's name."""


class WeightsDoNotFit(TrainingError):
    """The weights file is not one of this backbone in torchvision's key names."""


class WeightsUnavailable(TrainingError):
    """The weights could not be read or downloaded."""


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """How one backbone is built, where it is cut, and what its consumers may ask of it."""

    build: Callable[[], nn.Module]
    cut: Callable[[nn.Module], tuple[nn.Module, ...]]
    channels: tuple[int, int, int, int]
    strides: tuple[int, int, int, int]
    decoder_width: int


class Backbone(nn.Module):
    """Four stages in a row; the output of each is a feature map."""

    def __init__(self, stages: tuple[nn.Module, ...], spec: BackboneSpec) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.channels = spec.channels
        self.strides = spec.strides
        self.decoder_width = spec.decoder_width

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Feature maps f1..f4 of `images` (B,3,H,W), each B,C_k,ceil(H/s_k),ceil(W/s_k)."""
        return self.until(images, stages=len(self.stages))

    def until(self, images: Tensor, *, stages: int) -> tuple[Tensor, ...]:
        """The feature maps of the first `stages` stages; those after them cost nothing."""
        maps = []
        features = images
        for stage in self.stages[:stages]:
            features = stage(features)
            maps.append(features)
        return tuple(maps)


def _cut_resnet(network: nn.Module) -> tuple[nn.Module, ...]:
    assert isinstance(network, tv.ResNet)
    stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool, network.layer1)
    return (stem, network.layer2, network.layer3, network.layer4)


def _cut_vgg(network: nn.Module) -> tuple[nn.Module, ...]:
    """Cut before the 2nd to 4th max-pool, so that each stage ends on a block; drop the last."""
    assert isinstance(network, tv.VGG)
    layers = list(network.features)
    pools = [at for at, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    bounds = [0, *pools[1:]]
    return tuple(nn.Sequential(*layers[start:end]) for start, end in pairwise(bounds))


def _cut_mobilenet(network: nn.Module) -> tuple[nn.Module, ...]:
    assert isinstance(network, tv.MobileNetV2)
    layers = list(network.features)
    bounds = (0, 4, 7, 14, 19)
    return tuple(nn.Sequential(*layers[start:end]) for start, end in pairwise(bounds))


BACKBONES: Mapping[BackboneName, BackboneSpec] = {
    BackboneName.RESNET18: BackboneSpec(
        tv.resnet18, _cut_resnet, (64, 128, 256, 512), (4, 8, 16, 32), 64
    ),
    BackboneName.RESNET50: BackboneSpec(
        tv.resnet50, _cut_resnet, (256, 512, 1024, 2048), (4, 8, 16, 32), 256
    ),
    BackboneName.RESNET101: BackboneSpec(
        tv.resnet101, _cut_resnet, (256, 512, 1024, 2048), (4, 8, 16, 32), 256
    ),
    BackboneName.VGG16_BN: BackboneSpec(
        tv.vgg16_bn, _cut_vgg, (128, 256, 512, 512), (2, 4, 8, 16), 128
    ),
    BackboneName.VGG19_BN: BackboneSpec(
        tv.vgg19_bn, _cut_vgg, (128, 256, 512, 512), (2, 4, 8, 16), 128
    ),
    BackboneName.MOBILENET_V2: BackboneSpec(
        tv.mobilenet_v2, _cut_mobilenet, (24, 32, 96, 1280), (4, 8, 16, 32), 64
    ),
}


def build_backbone(config: BackboneConfig) -> Backbone:
    """The configured backbone with its weights; raises WeightsDoNotFit, WeightsUnavailable."""
    spec = BACKBONES[config.name]
    network = spec.build()
    match config.weights:
        case RandomWeights():
            pass
        case FileWeights(path=path):
            _load(network, _read_weights(path), origin=path.name)
        case TorchvisionWeights():
            _load(network, _download_weights(config.name), origin="torchvision's weights")
        case DefaultModelWeights():
            _load(network, _default_weights(config.name), origin="the default model's weights")
        case RunWeights(run=folder):
            return _of_run(Backbone(spec.cut(network), spec), RunFolder(folder))
    return Backbone(spec.cut(network), spec)


def _of_run(backbone: Backbone, run: RunFolder) -> Backbone:
    """`backbone` with the best weights of a run's own."""
    if not run.best_weights.is_file():
        raise WeightsUnavailable(
            f"{run.path} has no {run.best_weights.name}: it is no run folder, or its training has "
            "not come to the end of an epoch yet"
        )
    try:
        backbone.load_state_dict(backbone_weights(run.best_weights))
    except RuntimeError as error:
        raise WeightsDoNotFit(
            f"the run {run.path} trained another backbone than the one configured here: {error}"
        ) from error
    return backbone


def _read_weights(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise WeightsUnavailable(f"no weights file at {path}; check backbone.weights.path")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsUnavailable(f"{path} is not a readable weights file: {error}") from error
    if not isinstance(state, dict):
        raise WeightsDoNotFit(f"{path} holds a {type(state).__name__}, expected a state dictionary")
    return {str(key): value for key, value in state.items()}


def _default_weights(name: BackboneName) -> dict[str, Tensor]:
    file = DEFAULT_WEIGHTS / f"{name}.safetensors"
    if not file.is_file():
        known = ", ".join(sorted(each.stem for each in DEFAULT_WEIGHTS.glob("*.safetensors")))
        raise WeightsUnavailable(
            f"given backbone {name} with the default model's weights; expected {known}, which that "
            "model is made of, or other weights"
        )
    return _read_weights(file)


def _download_weights(name: BackboneName) -> dict[str, Tensor]:
    weights = tv.get_model_weights(name.value).IMAGENET1K_V1
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True)
    except Exception as error:
        raise WeightsUnavailable(
            f"torchvision's weights for {name} could not be downloaded or read ({error}); "
            "use a file instead: weights: {source: file, path: ...}"
        ) from error
    return state


def _load(network: nn.Module, state: dict[str, Tensor], *, origin: str) -> None:
    """Load all but the classifier, which is not part of a backbone, and demand that all fits."""
    own = {key: value for key, value in network.state_dict().items() if not is_classifier(key)}
    given = {key: value for key, value in state.items() if not is_classifier(key)}
    missing = sorted(key for key in own.keys() - given.keys() if "num_batches" not in key)
    unknown = sorted(given.keys() - own.keys())
    both = own.keys() & given.keys()
    wrong = sorted(k for k in both if own[k].shape != getattr(given[k], "shape", None))
    if missing or unknown or wrong:
        raise WeightsDoNotFit(
            f"{origin} does not fit the backbone: {len(missing)} keys missing {missing[:3]}, "
            f"{len(unknown)} unknown {unknown[:3]}, {len(wrong)} of another shape {wrong[:3]}; "
            "expected torchvision's key names"
        )
    network.load_state_dict(given, strict=False)


def is_classifier(key: str) -> bool:
    """Whether the tensor of this name is a network's classifier, which no backbone has."""
    return key.startswith(("classifier.", "fc."))
