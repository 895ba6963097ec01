"""Paired tests, held against what can be counted by hand."""

import itertools

import numpy as np
import pytest

from training.evidence.comparison import NotPaired, Pooled, compared, holm, interval
from training.metrics.single import top1

FILES = ("a", "b", "c", "d")
TRUTH = np.zeros(4, dtype=np.int64)
RIGHT, WRONG = [0.9, 0.1], [0.2, 0.8]


def pooled(*seeds: list[list[float]]) -> Pooled:
    """A model of two classes on four images of the first class."""
    return Pooled(FILES, tuple(np.array(scores) for scores in seeds), TRUTH)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_p_is_the_share_of_swaps_that_make_as_large_a_difference() -> None:
    better, worse = pooled([RIGHT, RIGHT, RIGHT, WRONG]), pooled([WRONG, WRONG, RIGHT, WRONG])
    found = compared(better, worse, top1, draws=100, rng=rng())
    assert found.value == 0.5
    # Only the first two images differ: of their four swaps two make a difference of 0.5 or -0.5.
    gains = [sum(signs) / 4 for signs in itertools.product((1, -1), (1, -1), (0,), (0,))]
    assert found.p == pytest.approx(sum(abs(gain) >= 0.5 for gain in gains) / len(gains))


def test_four_images_that_all_improve_are_an_eighth_by_chance() -> None:
    found = compared(pooled([RIGHT] * 4), pooled([WRONG] * 4), top1, draws=1000, rng=rng())
    assert found.value == 1
    assert found.p == pytest.approx(2 / 16)  # both ways
    assert (found.low, found.high) == (1, 1)  # every resample improves by 1


def test_a_model_is_no_better_than_itself() -> None:
    model = pooled([RIGHT, WRONG, RIGHT, WRONG])
    found = compared(model, model, top1, draws=200, rng=rng())
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_the_difference_changes_sides_with_the_models() -> None:
    one, other = pooled([RIGHT, RIGHT, WRONG, WRONG]), pooled([RIGHT, WRONG, WRONG, WRONG])
    there = compared(one, other, top1, draws=500, rng=rng())
    back = compared(other, one, top1, draws=500, rng=rng())
    assert (there.value, there.low, there.high) == (-back.value, -back.high, -back.low)
    assert there.p == back.p


def test_the_figure_is_the_mean_of_the_seeds_figures() -> None:
    model = pooled([RIGHT] * 4, [RIGHT, RIGHT, WRONG, WRONG])
    assert model.figure(top1) == 0.75
    assert model.figure(top1, np.array([3, 3])) == 0.5


def test_seeds_of_an_image_change_places_together() -> None:
    better = pooled([RIGHT] * 4, [RIGHT] * 4)
    worse = pooled([WRONG] * 4, [WRONG] * 4)
    # As with one seed: 2 of 16. Were the seeds swapped apart, it would be 2 of 256.
    assert compared(better, worse, top1, draws=5000, rng=rng()).p == pytest.approx(2 / 16)


def test_the_interval_of_a_share_is_near_the_binomial_one() -> None:
    count = 400
    scores = np.array([RIGHT] * 240 + [WRONG] * 160)
    files = tuple(map(str, range(count)))
    model = Pooled(files, (scores,), np.zeros(count, dtype=np.int64))
    low, high = interval(model, top1, draws=2000, rng=rng())
    half = 1.96 * np.sqrt(0.6 * 0.4 / count)
    assert low == pytest.approx(0.6 - half, abs=0.01)
    assert high == pytest.approx(0.6 + half, abs=0.01)


def test_the_same_seed_draws_the_same() -> None:
    gen = np.random.default_rng(3)
    files = tuple(map(str, range(60)))
    one, other = (
        Pooled(files, (gen.dirichlet([1, 1], 60),), np.zeros(60, dtype=np.int64)) for _ in range(2)
    )
    first, again = (compared(one, other, top1, draws=99, rng=rng()) for _ in range(2))
    assert first == again


def test_other_images_or_seeds_are_no_pair() -> None:
    model = pooled([RIGHT] * 4)
    other = Pooled(("a", "b", "c", "e"), model.scores, TRUTH)
    for unlike in (other, pooled([RIGHT] * 4, [RIGHT] * 4)):
        with pytest.raises(NotPaired, match="expected the same images"):
            compared(model, unlike, top1, draws=9, rng=rng())


def test_holm_adjusts_from_the_smallest_on_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
