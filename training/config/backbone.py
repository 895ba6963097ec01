"""Which backbone, and the weights it starts from."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from training.config.fields import Config


class BackboneName(StrEnum):
    """The backbones there are; `training.backbone.BACKBONES` builds them."""

    RESNET18 = "resnet18"
    RESNET50 = "resnet50"
    RESNET101 = "resnet101"
    VGG16_BN = "vgg16_bn"
    VGG19_BN = "vgg19_bn"
    MOBILENET_V2 = "mobilenet_v2"


class RandomWeights(Config):
    """Start from the backbone's own random initialisation."""

    source: Literal["random"] = "random"


class FileWeights(Config):
    """Start from a file of weights in torchvision's key names (.safetensors, .pth)."""

    source: Literal["file"] = "file"
    path: Path = Field(description="The file; over HTTP by its path within the allowed folders")


class TorchvisionWeights(Config):
    """Start from torchvision's first ImageNet weights (IMAGENET1K_V1), downloaded once."""

    source: Literal["torchvision"] = "torchvision"


class DefaultModelWeights(Config):
    """Start from the default model's backbone, mobilenet_v2, which comes with the code."""

    source: Literal["default_model"] = "default_model"


class RunWeights(Config):
    """Start from the backbone that a pre-training or fine-tuning run ended with."""

    source: Literal["run"] = "run"
    run: Path = Field(
        description="Run folder; in a job the id of another, in a pipeline an earlier step"
    )


Weights = Annotated[
    RandomWeights | FileWeights | TorchvisionWeights | DefaultModelWeights | RunWeights,
    Field(discriminator="source"),
]


class BackboneConfig(Config):
    """A backbone and where its weights come from."""

    name: BackboneName
    weights: Weights = RandomWeights()
