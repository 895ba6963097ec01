"""What a pretext task is: examples out of a corpus, and a head that learns from them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.preprocessing import Preprocessing
from training.backbone import Backbone
from training.data.canonical import Sample

Example = dict[str, NDArray[Any]]
"""One sample as the head wants it; every example of a task has arrays of the same shapes."""

Examples = dict[str, Tensor]
"""A batch: the arrays of its examples, stacked along a new first axis."""


class Figure(NamedTuple):
    """A figure as a sum and what it is a mean of, so that batches of any size add up exactly."""

    total: float
    of: int


class Perplexity(NamedTuple):
    """A figure that is e to the mean: its parts are nats, `total` of them over `of` words."""

    total: float
    of: int


def overall(parts: Mapping[str, Sequence[Figure | Perplexity]]) -> dict[str, float]:
    """Each figure over all its parts; one of nothing, where no sample has a label, is left out."""
    found = {}
    for name, own in parts.items():
        if count := sum(part.of for part in own):
            mean = sum(part.total for part in own) / count
            found[name] = math.exp(mean) if isinstance(own[0], Perplexity) else mean
    return found


class PretextHead(Protocol):
    """What is put on a backbone for one task; an `nn.Module`."""

    def images(self, batch: Examples) -> Tensor:
        """What the backbone sees of a batch, N,3,H,W."""
        ...

    def losses(self, backbone: Backbone, batch: Examples) -> dict[str, Tensor]:
        """The named terms of the task's loss, each a scalar; their sum is minimised."""
        ...

    def figures(self, backbone: Backbone, batch: Examples) -> Mapping[str, Figure | Perplexity]:
        """How good the head is on `batch`, and how good its trivial rival would be.

        The rival's figure has the name of the head's and the rival's: `top1`, `top1_frequent`.
        """
        ...

    def panel(self, backbone: Backbone, batch: Examples) -> Tensor:
        """A picture, 3,H,W in [0, 1], of what the head makes of the first examples of `batch`."""
        ...


class PretextTask(Protocol):
    """One task on one corpus."""

    @property
    def fixed(self) -> Preprocessing:
        """What `example` begins with, before chance: what becomes of an image by `resized`.

        It leaves an image that went through it already as it is.
        """
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What has to be kept beside the weights to use the head again, as JSON."""
        ...

    def example(self, image: Image.Image, sample: Sample, rng: np.random.Generator) -> Example:
        """An upright RGB image of the corpus as the head wants it; chance comes from `rng`."""
        ...

    def head(self, backbone: Backbone) -> PretextHead:
        """A new head that fits `backbone`, with PyTorch's global generator for its weights."""
        ...


def stacked(examples: Sequence[Example]) -> Examples:
    """Examples as one batch."""
    return {
        key: torch.from_numpy(np.stack([example[key] for example in examples]))
        for key in examples[0]
    }
