"""Networks with random weights, as large as real ones, and the heads an export gives them."""

import math

import torch

from models.labels import LabelKind, LabelSet
from models.manifest import Output
from models.preprocessing import Preprocessing
from training.backbone import BACKBONES, Backbone
from training.config.backbone import BackboneName
from training.network import SentimentNetwork

SIDE = 64
SPEC = Preprocessing(size=SIDE, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
LABELS = LabelSet(names=("joy", "fear", "awe"))
TEMPERATURE = 2.5


def random_network(name: BackboneName) -> SentimentNetwork:
    """A backbone with all three heads, under whose weights signals neither vanish nor explode."""
    spec = BACKBONES[name]
    with torch.device("meta"):  # the classifier that is dropped can have 500 MB
        stages = spec.cut(spec.build())
    backbone = Backbone(stages, spec).to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for key, value in backbone.state_dict().items():
        if value.ndim == 4:
            value.normal_(0, math.sqrt(2 / value[0].numel()), generator=generator)
        elif key.endswith(("bias", "running_mean")):
            value.normal_(0, 0.1, generator=generator)
        elif value.is_floating_point():
            value.uniform_(0.5, 1.0, generator=generator)
        else:
            value.zero_()
    network = SentimentNetwork(backbone, dict.fromkeys(LabelKind, LABELS), dropout=0.5).eval()
    with torch.inference_mode():
        pooled = backbone(random_images(2))[-1].mean(dim=(2, 3))
    scale = 1 / float(pooled.square().sum(dim=1).mean().sqrt())  # logits of about 1
    for kind in LabelKind:
        linear = network.head(kind).linear
        linear.weight.data.normal_(0, scale, generator=generator)
        linear.bias.data.normal_(0, 0.5, generator=generator)
    return network


def outputs_of(network: SentimentNetwork) -> tuple[Output, ...]:
    """The manifest's outputs; those with a softmax are tempered."""
    return tuple(
        Output(
            kind=kind,
            labels=LABELS,
            bias=tuple(network.head(kind).linear.bias.tolist()),
            temperature=1.0 if kind is LabelKind.MULTI else TEMPERATURE,
            thresholds=(0.5,) * len(LABELS) if kind is LabelKind.MULTI else None,
        )
        for kind in LabelKind
    )


def random_images(count: int) -> torch.Tensor:
    """Pre-processed images count,3,SIDE,SIDE, from little to much contrast."""
    noise = torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return noise * torch.linspace(0.2, 2.0, count)[:, None, None, None]
