"""Which folds and seeds of a row can be put together."""

from training.evidence.experiment import Cell
from training.evidence.pooling import whole


def cell(fold: int | None, seed: int) -> Cell:
    return Cell("row", "data", fold, seed)


def parts(found: list[Cell]) -> list[tuple[int | None, int]]:
    return [(one.fold, one.seed) for one in found]


def test_all_folds_of_all_seeds_are_put_together_by_seed() -> None:
    found = [cell(fold, seed) for fold in (1, 0) for seed in (2, 1)]
    assert parts(whole(found)) == [(0, 1), (1, 1), (0, 2), (1, 2)]


def test_a_seed_that_lacks_folds_of_another_is_left_out() -> None:
    found = [cell(0, 1), cell(1, 1), cell(0, 2)]
    assert parts(whole(found)) == [(0, 1), (1, 1)]


def test_of_seeds_with_as_many_folds_the_first_says_which() -> None:
    assert parts(whole([cell(1, 2), cell(0, 1)])) == [(0, 1)]


def test_without_folds_every_seed_counts() -> None:
    assert parts(whole([cell(None, 3), cell(None, 1)])) == [(None, 1), (None, 3)]
