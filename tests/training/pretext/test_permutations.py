"""Orders of nine tiles: distinct, repeatable, and far from each other."""

from itertools import permutations

import numpy as np
import pytest

from training.pretext.permutations import Orders, distant_orders, hamming_distances


@pytest.fixture(scope="module")
def thousand() -> Orders:
    return distant_orders(1000, seed=0)


def test_a_thousand_orders_are_distinct_permutations_of_nine(thousand: Orders) -> None:
    assert thousand.shape == (1000, 9)
    assert (np.sort(thousand, axis=1) == np.arange(9)).all()
    assert len({tuple(order) for order in thousand.tolist()}) == 1000


def test_a_thousand_orders_are_farther_apart_than_random_ones(thousand: Orders) -> None:
    rng = np.random.default_rng(0)
    random = np.stack([rng.permutation(9) for _ in range(1000)]).astype(np.uint8)
    found, rival = hamming_distances(thousand), hamming_distances(random)
    assert found.least == 5
    assert rival.least < 4
    assert found.mean > rival.mean
    # No set does better: each tile at each place equally often gives 8 * n / (n - 1).
    assert found.mean == pytest.approx(8 * 1000 / 999, abs=1e-4)


def test_a_seed_gives_the_same_orders_again_and_another_seed_others(thousand: Orders) -> None:
    again, other = distant_orders(30, seed=0), distant_orders(30, seed=1)
    assert np.array_equal(again, thousand[:30])
    assert not np.array_equal(again, other)


def test_the_first_nine_orders_have_no_place_in_common() -> None:
    assert hamming_distances(distant_orders(9, seed=3)).least == 9


def test_each_order_is_as_far_from_those_before_as_any_order_is() -> None:
    everything = np.array(list(permutations(range(9))), dtype=np.uint8)
    chosen = distant_orders(12, seed=2)
    for count in (1, 8, 9, 11):
        distances = (everything[:, None] != chosen[None, :count]).sum(axis=2)
        farthest = distances.min(axis=1).max()
        rivals = distances[distances.min(axis=1) == farthest]
        own = (chosen[count] != chosen[:count]).sum(axis=1)
        assert own.min() == farthest
        assert own.sum() == rivals.sum(axis=1).max()


def test_distances_count_the_places_in_which_two_orders_differ() -> None:
    orders = np.array(
        [[0, 1, 2, 3, 4, 5, 6, 7, 8], [1, 0, 2, 3, 4, 5, 6, 7, 8], [8, 0, 1, 2, 3, 4, 5, 6, 7]],
        dtype=np.uint8,
    )
    least, mean = hamming_distances(orders)
    assert least == 2
    assert mean == pytest.approx((2 + 9 + 8) / 3)
