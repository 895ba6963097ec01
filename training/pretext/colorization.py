"""Colorization: tell the colours of an image from its lightness (Zhang et al., ECCV 2016)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from models.preprocessing import Preprocessing
from training.backbone import Backbone
from training.colour import (
    GREY,
    chroma_from_scaled,
    lab_from_rgb,
    lightness_from_scaled,
    rgb_from_lab,
    scaled_chroma,
    scaled_lightness,
)
from training.config.pretraining import ColorizationConfig
from training.data.canonical import CanonicalDataset, Sample
from training.decoders import FusedDecoder
from training.pretext.corpus import few_images
from training.pretext.pictures import rows
from training.pretext.task import Example, Examples, Figure
from training.transforms.augment import Transform, training_transform

_SHOWN = 4
_AVERAGED = 256
"""Images whose mean colour stands for that of the corpus."""

_APART = 4
"""Pixels from one that is averaged to the next, across and down."""


class ColorizationHead(nn.Module):
    """Chroma by a fused decoder and a 3x3 convolution; scaled as in `training.colour`."""

    def __init__(self, backbone: Backbone, *, mean_chroma: Sequence[float]) -> None:
        super().__init__()
        self.mean_chroma: Tensor
        self.register_buffer(
            "mean_chroma", torch.tensor(mean_chroma).view(2, 1, 1), persistent=False
        )
        self.decoder = FusedDecoder(backbone)
        self.chroma = nn.Conv2d(self.decoder.channels, 2, kernel_size=3, padding=1)

    def images(self, batch: Examples) -> Tensor:
        """Scaled lightness in all three channels, B,3,H,W."""
        return batch["lightness"].expand(-1, 3, -1, -1)

    def forward(self, backbone: Backbone, images: Tensor) -> Tensor:
        """Scaled a and b, B,2,H,W in [0, 1], of what `images` gives."""
        decoded = self.decoder(backbone(images), (images.shape[2], images.shape[3]))
        return torch.sigmoid(self.chroma(decoded).float())

    def losses(self, backbone: Backbone, batch: Examples) -> dict[str, Tensor]:
        """Mean squared error of the scaled chroma."""
        return {"mse": F.mse_loss(self(backbone, self.images(batch)), batch["chroma"])}

    @torch.no_grad()
    def figures(self, backbone: Backbone, batch: Examples) -> dict[str, Figure]:
        """`mse`, and those of two rivals that paint every image in one colour.

        `mse_grey` is of grey (a = b = 0), `mse_mean` of the training corpus's mean, the best there
        is without looking.
        """
        truth = batch["chroma"]
        found = self(backbone, self.images(batch))
        return {
            "mse": _squared_error(found, truth),
            "mse_grey": _squared_error(torch.full_like(truth, GREY), truth),
            "mse_mean": _squared_error(self.mean_chroma, truth),
        }

    @torch.no_grad()
    def panel(self, backbone: Backbone, batch: Examples) -> Tensor:
        """A row an image: as it was given, as it was coloured, as it is."""
        lightness, truth = batch["lightness"][:_SHOWN], batch["chroma"][:_SHOWN]
        found = self(backbone, self.images(batch)[:_SHOWN])
        shown = (torch.full_like(truth, GREY), found, truth)
        return rows([_picture(lightness, chroma) for chroma in shown])


class ColorizationTask:
    """Colorization of random crops; no mean and std are involved."""

    def __init__(self, config: ColorizationConfig, *, mean_chroma: Sequence[float]) -> None:
        self.fixed = _fixed(config)
        self._transform = training_transform(self.fixed, config.size)
        self._mean_chroma = tuple(mean_chroma)

    @classmethod
    def of(cls, config: ColorizationConfig, datasets: Sequence[CanonicalDataset]) -> Self:
        """The task on its corpus, of which some images are read for their mean colour."""
        crops = training_transform(_fixed(config), config.size)
        images = few_images(datasets, _AVERAGED)
        return cls(config, mean_chroma=mean_chroma(crops, images))

    @property
    def facts(self) -> Mapping[str, Any]:
        """`mean_chroma`: the training corpus's mean a and b, scaled."""
        return {"mean_chroma": list(self._mean_chroma)}

    def example(self, image: Image.Image, sample: Sample, rng: np.random.Generator) -> Example:
        """`lightness` 1,H,W and `chroma` 2,H,W, scaled."""
        lab = lab_from_rgb(self._transform(image, rng))  # 3,H,W
        return {"lightness": scaled_lightness(lab[:1]), "chroma": scaled_chroma(lab[1:])}

    def head(self, backbone: Backbone) -> ColorizationHead:
        return ColorizationHead(backbone, mean_chroma=self._mean_chroma)


def mean_chroma(crops: Transform, images: Iterable[Image.Image]) -> tuple[float, float]:
    """The mean scaled a and b of one of the `crops` of each of the `images`."""
    rng = np.random.default_rng(0)
    seen = np.stack([crops(image, rng)[:, ::_APART, ::_APART] for image in images])
    a, b = scaled_chroma(lab_from_rgb(seen)[:, 1:]).mean(axis=(0, 2, 3), dtype=np.float64)
    return float(a), float(b)


def _fixed(config: ColorizationConfig) -> Preprocessing:
    return Preprocessing(size=config.resize, mean=(0, 0, 0), std=(1, 1, 1))


def _squared_error(found: Tensor, truth: Tensor) -> Figure:
    errors = (found - truth).square().mean(dim=(1, 2, 3))  # B
    return Figure(float(errors.sum()), len(errors))


def _picture(lightness: Tensor, chroma: Tensor) -> Tensor:
    """RGB B,3,H,W in [0, 1] on the CPU, of scaled lightness and chroma."""
    lab = np.concatenate(
        [
            lightness_from_scaled(lightness.float().cpu().numpy()),
            chroma_from_scaled(chroma.cpu().numpy()),
        ],
        axis=1,
    )
    return torch.from_numpy(rgb_from_lab(lab))
