"""Small networks, pictures and corpora for the pretext tasks, and a way to learn from a batch."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from models.labels import LabelKind, LabelSet
from training.backbone import Backbone, BackboneSpec
from training.data.canonical import CanonicalDataset, Sample, Split
from training.pretext.task import Example, Examples, PretextHead, PretextTask, stacked

MEAN = (0.4, 0.5, 0.6)
STD = (0.2, 0.25, 0.3)


CHANNELS = (8, 12, 16, 24)


def backbone() -> Backbone:
    """A convolution a stage, random weights, and a decoder of width 8."""
    torch.manual_seed(0)
    stages = (
        _stage(3, CHANNELS[0], stride=4),
        *(_stage(given, made, stride=2) for given, made in pairwise(CHANNELS)),
    )
    spec = BackboneSpec(
        build=nn.Identity,
        cut=lambda network: stages,
        channels=CHANNELS,
        strides=(4, 8, 16, 32),
        decoder_width=8,
    )
    return Backbone(stages, spec)


def _stage(given: int, made: int, *, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(given, made, kernel_size=5, stride=stride, padding=2, bias=False),
        nn.BatchNorm2d(made),
        nn.ReLU(inplace=True),
    )


def painted(colour: tuple[int, int, int], side: int = 40) -> Image.Image:
    """A picture of one colour, red first."""
    return Image.new("RGB", (side, side), colour)


def picture(seed: int, *, width: int = 60, height: int = 50, spots: int = 4) -> Image.Image:
    """A picture of random colours that flow into each other."""
    colours = np.random.default_rng(seed).integers(0, 256, (spots, spots, 3)).astype(np.uint8)
    return Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)


def sample(single: int | None = None, split: Split = Split.TRAIN) -> Sample:
    """A sample with at most a single label."""
    return Sample(
        file_name="images/a.png", split=split, single=single, multi=None, shares=None, captions=()
    )


def corpus(
    names: Sequence[str], samples: Sequence[Sample], *, kind: LabelKind = LabelKind.SINGLE
) -> CanonicalDataset:
    """A data set without files."""
    return CanonicalDataset(
        name="tiny",
        digest="0" * 64,
        label_sets={kind: LabelSet(names=tuple(names))},
        samples=tuple(samples),
        root=Path(),
    )


def painted_corpus(
    root: Path,
    *,
    train: Sequence[tuple[int, int, int]],
    val: Sequence[tuple[int, int, int]] = (),
) -> CanonicalDataset:
    """A data set in `root` whose pictures are of one colour each."""
    parts = {Split.TRAIN: train, Split.VAL: val}
    samples = []
    for split, colours in parts.items():
        for number, colour in enumerate(colours):
            name = f"{split}-{number}.png"
            painted(colour).save(root / name)
            samples.append(replace(sample(split=split), file_name=name))
    return replace(corpus(("none",), samples), root=root)


def example(
    task: PretextTask, image: Image.Image, *, of: Sample | None = None, seed: int = 0
) -> Example:
    """What `task` makes of `image`."""
    return task.example(image, of or sample(), np.random.default_rng(seed))


def batch(task: PretextTask, count: int) -> Examples:
    """`count` different pictures as `task` sees them."""
    return stacked([example(task, picture(seed), seed=seed) for seed in range(count)])


def learn(head: PretextHead, network: Backbone, given: Examples, *, steps: int) -> list[float]:
    """The summed loss before each of some steps of AdamW on one batch."""
    assert isinstance(head, nn.Module)
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3)
    losses = []
    for _ in range(steps):
        loss = torch.stack(list(head.losses(network, given).values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


def stages_with_gradient(network: Backbone) -> list[int]:
    """The stages in which a parameter has a gradient that is not 0."""
    return [
        at
        for at, stage in enumerate(network.stages)
        if any(p.grad is not None and bool(p.grad.any()) for p in stage.parameters())
    ]
