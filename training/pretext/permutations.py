"""Orders of nine tiles that differ in as many places as can be (Noroozi and Favaro, ECCV 2016)."""

from itertools import chain, permutations
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TILES = 9

Orders = NDArray[np.uint8]
"""N,9: what each row holds at place i is the number of the tile that is put there."""


class Distances(NamedTuple):
    """Hamming distances over all pairs of orders: in how many of nine places they differ."""

    least: int
    mean: float


def distant_orders(count: int, *, seed: int) -> Orders:
    """`count` distinct orders, count,9: each is as far as can be from all before it.

    Greedy over all 362,880: of those whose nearest chosen order is farthest, the one that is
    farthest from the chosen ones on average. The first, and what ties then, is left to `seed`.
    """
    candidates = _shuffled_candidates(seed)
    nearest = np.zeros(candidates.shape[1], dtype=np.int32)  # places shared with the nearest
    shared = np.zeros_like(nearest)  # places shared with all, summed
    chosen = np.empty((count, TILES), dtype=np.uint8)
    for number in range(count):
        worst = TILES * number + 1
        order = candidates[:, np.argmin(nearest * worst + shared)]
        chosen[number] = order
        same = np.zeros(candidates.shape[1], dtype=np.uint8)
        for place in range(TILES):
            same += candidates[place] == order[place]
        np.maximum(nearest, same, out=nearest)
        shared += same
    return chosen


def hamming_distances(orders: Orders) -> Distances:
    """The least and the mean distance between two different rows of `orders`."""
    pairs = [(orders[at + 1 :] != row).sum(axis=1) for at, row in enumerate(orders[:-1])]
    distances = np.concatenate(pairs)
    return Distances(int(distances.min()), float(distances.mean()))


def _shuffled_candidates(seed: int) -> Orders:
    """Every order, a column each, so that places lie together in memory: 9,362880."""
    listed = np.fromiter(
        chain.from_iterable(permutations(range(TILES))),
        dtype=np.uint8,
        count=TILES * factorial(TILES),
    ).reshape(-1, TILES)
    return np.ascontiguousarray(np.random.default_rng(seed).permutation(listed).T)
