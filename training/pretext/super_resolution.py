"""Super-resolution: tell an image four times as wide and high from its small copy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from models.preprocessing import Channels, Interpolation, Preprocessing, normalized, resized
from training.backbone import Backbone
from training.config.pretraining import SuperResolutionConfig
from training.data.canonical import Sample
from training.decoders import FusedDecoder
from training.pretext.pictures import Denormalization, rows
from training.pretext.task import Example, Examples, Figure
from training.transforms.augment import random_flip

_FACTOR = 4
_SHOWN = 4
_LEAST_ERROR = 1e-10
"""A smaller squared error counts as this one, or 100 dB: a mean has no place for infinity."""


class SuperResolutionHead(nn.Module):
    """A fused decoder, two transposed convolutions that double the side, a 3x3 convolution."""

    def __init__(self, backbone: Backbone, *, denormalization: Denormalization) -> None:
        super().__init__()
        self.denormalization = denormalization
        self.decoder = FusedDecoder(backbone)
        self.enlarge = nn.Sequential(
            _doubling(self.decoder.channels),
            nn.ReLU(inplace=True),
            _doubling(self.decoder.channels),
            nn.ReLU(inplace=True),
        )
        self.colours = nn.Conv2d(self.decoder.channels, 3, kernel_size=3, padding=1)

    def images(self, batch: Examples) -> Tensor:
        """The small images, B,3,H,W."""
        return batch["small"]

    def forward(self, backbone: Backbone, images: Tensor) -> Tensor:
        """Images B,3,4H,4W in [0, 1] of normalised B,3,H,W."""
        decoded = self.decoder(backbone(images), (images.shape[2], images.shape[3]))
        return torch.sigmoid(self.colours(self.enlarge(decoded)).float())

    def losses(self, backbone: Backbone, batch: Examples) -> dict[str, Tensor]:
        """Mean squared error of the pixels."""
        return {"mse": F.mse_loss(self(backbone, batch["small"]), batch["large"])}

    @torch.no_grad()
    def figures(self, backbone: Backbone, batch: Examples) -> dict[str, Figure]:
        """`psnr` in dB of RGB in [0, 1], a mean over images, and those of two rivals.

        `psnr_bicubic` is of bicubic enlargement, `psnr_flat` of each image's own mean colour.
        """
        truth = batch["large"]
        flat = self.denormalization(batch["small"]).mean(dim=(2, 3), keepdim=True)  # B,3,1,1
        return {
            "psnr": _psnr(self(backbone, batch["small"]), truth),
            "psnr_bicubic": _psnr(self._bicubic(batch["small"]), truth),
            "psnr_flat": _psnr(flat, truth),
        }

    @torch.no_grad()
    def panel(self, backbone: Backbone, batch: Examples) -> Tensor:
        """A row an image: as it was given, enlarged by bicubic, by the head, and as it is."""
        small, truth = batch["small"][:_SHOWN], batch["large"][:_SHOWN]
        given = F.interpolate(self.denormalization(small), scale_factor=_FACTOR, mode="nearest")
        return rows([given, self._bicubic(small), self(backbone, small), truth])

    def _bicubic(self, small: Tensor) -> Tensor:
        # Only the antialiased kind has the usual coefficient, -0.5 as in Pillow and MATLAB.
        enlarged = F.interpolate(
            self.denormalization(small), scale_factor=_FACTOR, mode="bicubic", antialias=True
        )
        return enlarged.clamp(0, 1)


class SuperResolutionTask:
    """Super-resolution of whole images, reduced by bicubic interpolation."""

    def __init__(self, config: SuperResolutionConfig, *, mean: Channels, std: Channels) -> None:
        self._small = Preprocessing(
            size=config.size, interpolation=Interpolation.BICUBIC, mean=mean, std=std
        )
        self.fixed = Preprocessing(
            size=_FACTOR * config.size,
            interpolation=Interpolation.BICUBIC,
            mean=(0, 0, 0),
            std=(1, 1, 1),
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"mean": list(self._small.mean), "std": list(self._small.std)}

    def example(self, image: Image.Image, sample: Sample, rng: np.random.Generator) -> Example:
        """`small` 3,s,s, normalised, and `large` 3,4s,4s in [0, 1]; mirrored half the time."""
        large = random_flip(resized(image, self.fixed), rng)
        small = resized(large, self._small)
        return {"small": normalized(small, self._small), "large": normalized(large, self.fixed)}

    def head(self, backbone: Backbone) -> SuperResolutionHead:
        denormalization = Denormalization(self._small.mean, self._small.std)
        return SuperResolutionHead(backbone, denormalization=denormalization)


def _doubling(channels: int) -> nn.Module:
    return nn.ConvTranspose2d(
        channels, channels, kernel_size=3, stride=2, padding=1, output_padding=1
    )


def _psnr(found: Tensor, truth: Tensor) -> Figure:
    """-10 log10 of the mean squared error, for values in [0, 1]; from 0 dB, higher is better."""
    errors = (found - truth).square().mean(dim=(1, 2, 3)).clamp(min=_LEAST_ERROR)  # B
    return Figure(float((-10 * errors.log10()).sum()), len(errors))
