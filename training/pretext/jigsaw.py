"""Jigsaw puzzle: tell in which order the tiles of an image were put (Noroozi and Favaro, 2016)."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from models.preprocessing import Channels, Preprocessing
from training.backbone import Backbone
from training.config.pretraining import JigsawConfig
from training.data.canonical import Sample
from training.pretext.permutations import TILES, Orders, distant_orders, hamming_distances
from training.pretext.pictures import Denormalization, grid, rows
from training.pretext.task import Example, Examples, Figure
from training.transforms.augment import training_transform

_ACROSS = 3
_MARGIN = 256 / 224
"""The image is squashed to this many times the puzzle's side before the puzzle is cropped."""

_SHOWN = 4


def cut_tiles(pixels: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """An image C,3s,3s as its tiles 9,C,s,s, row by row."""
    corners = [(n // _ACROSS * side, n % _ACROSS * side) for n in range(TILES)]
    return np.stack([pixels[:, top : top + side, left : left + side] for top, left in corners])


class JigsawHead(nn.Module):
    """Every tile through the backbone, pooled; the nine side by side; one linear layer.

    It begins with zeros, so with the loss of a guess: of its many inputs, all positive, random
    weights make sums whose noise reaches the backbone.
    """

    def __init__(
        self, backbone: Backbone, *, orders: Orders, denormalization: Denormalization
    ) -> None:
        super().__init__()
        self.orders: Tensor
        self.register_buffer("orders", torch.from_numpy(orders).long(), persistent=False)
        self.denormalization = denormalization
        self.linear = nn.Linear(TILES * backbone.channels[-1], len(orders))
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def images(self, batch: Examples) -> Tensor:
        """Each tile as an image, B*9,3,s,s."""
        return batch["tiles"].flatten(0, 1)

    def forward(self, backbone: Backbone, tiles: Tensor) -> Tensor:
        """Logits B,N of the N known orders, of normalised tiles B,9,3,s,s."""
        pooled = backbone(tiles.flatten(0, 1))[-1].mean(dim=(2, 3))  # B*9,C
        logits: Tensor = self.linear(pooled.reshape(len(tiles), -1))
        return logits.float()

    def losses(self, backbone: Backbone, batch: Examples) -> dict[str, Tensor]:
        """Cross-entropy of the order's number."""
        logits = self(backbone, batch["tiles"])
        return {"cross_entropy": F.cross_entropy(logits, batch["order"])}

    @torch.no_grad()
    def figures(self, backbone: Backbone, batch: Examples) -> dict[str, Figure]:
        """`accuracy`, and `accuracy_chance` of the rival that guesses: one in all orders."""
        hits = self(backbone, batch["tiles"]).argmax(dim=1) == batch["order"]
        return {
            "accuracy": Figure(float(hits.sum()), len(hits)),
            "accuracy_chance": Figure(len(hits) / len(self.orders), len(hits)),
        }

    @torch.no_grad()
    def panel(self, backbone: Backbone, batch: Examples) -> Tensor:
        """A row an image: shuffled, put together by the head, put together."""
        tiles, truth = batch["tiles"][:_SHOWN], batch["order"][:_SHOWN]
        found = self(backbone, tiles).argmax(dim=1)
        columns = [tiles, self.solved(tiles, found), self.solved(tiles, truth)]
        return rows([self._pictures(column) for column in columns], gap=4)

    def solved(self, tiles: Tensor, numbers: Tensor) -> Tensor:
        """Tiles B,9,3,s,s put back, were they in the orders of these numbers (B)."""
        places = self.orders[numbers].argsort(dim=1)  # B,9: where each tile was put
        return tiles[torch.arange(len(tiles), device=tiles.device)[:, None], places]

    def _pictures(self, tiles: Tensor) -> Tensor:
        """Tiles B,9,3,s,s as pictures B,3,H,W with thin lines between the tiles."""
        shown = self.denormalization(tiles)
        return torch.stack([grid(nine, across=_ACROSS, gap=1) for nine in shown])


class JigsawTask:
    """Jigsaw puzzles of random crops."""

    def __init__(self, config: JigsawConfig, *, mean: Channels, std: Channels) -> None:
        side = _ACROSS * config.tile
        self._tile = config.tile
        self.fixed = Preprocessing(size=ceil(_MARGIN * side), mean=mean, std=std)
        self._transform = training_transform(self.fixed, side)
        self._orders = distant_orders(config.permutations, seed=config.permutation_seed)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Orders as nine digits each: the digit at place i is the tile that was put there."""
        distances = hamming_distances(self._orders)
        return {
            "mean": list(self.fixed.mean),
            "std": list(self.fixed.std),
            "orders": ["".join(map(str, order)) for order in self._orders],
            "least_distance": distances.least,
            "mean_distance": distances.mean,
            "chance": 1 / len(self._orders),
        }

    def example(self, image: Image.Image, sample: Sample, rng: np.random.Generator) -> Example:
        """Normalised `tiles` 9,3,s,s in the order of number `order`."""
        tiles = cut_tiles(self._transform(image, rng), self._tile)
        number = rng.integers(len(self._orders))
        return {"tiles": tiles[self._orders[number]], "order": np.asarray(number, dtype=np.int64)}

    def head(self, backbone: Backbone) -> JigsawHead:
        denormalization = Denormalization(self.fixed.mean, self.fixed.std)
        return JigsawHead(backbone, orders=self._orders, denormalization=denormalization)
