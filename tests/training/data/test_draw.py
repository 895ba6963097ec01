"""Drawn splits: the same for the same names and seed, and fair to every class."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.canonical import Split
from training.data.importers.draw import drawn, with_test_and_val, with_val
from training.data.importers.listing import ImportOptions, Record

STRATA = {
    f"{label}/{n}.jpg": label for label, count in (("awe", 40), ("fear", 7)) for n in range(count)
}


def records(strata: dict[str, str]) -> tuple[Record, ...]:
    return tuple(Record(name, Split.TRAIN, label=label) for name, label in strata.items())


def test_a_draw_does_not_depend_on_the_order_of_the_listing() -> None:
    shuffled = list(STRATA.items())
    Random(1).shuffle(shuffled)
    assert drawn(dict(shuffled), fraction=0.3, seed=5) == drawn(STRATA, fraction=0.3, seed=5)


def test_a_draw_is_the_same_on_every_machine() -> None:
    names = {f"{n}.jpg": "" for n in range(10)}
    assert drawn(names, fraction=0.3, seed=0) == {"2.jpg", "8.jpg", "9.jpg"}


def test_another_seed_draws_others() -> None:
    assert drawn(STRATA, fraction=0.3, seed=0) != drawn(STRATA, fraction=0.3, seed=1)


def test_every_class_gives_its_share() -> None:
    chosen = drawn(STRATA, fraction=0.1, seed=0)
    assert Counter(STRATA[name] for name in chosen) == {"awe": 4, "fear": 1}


@given(count=st.integers(1, 50), fraction=st.floats(0.001, 0.999))
def test_no_class_is_drawn_whole(count: int, fraction: float) -> None:
    chosen = drawn({str(n): "awe" for n in range(count)}, fraction=fraction, seed=0)
    assert min(1, count - 1) <= len(chosen) <= count - 1


def test_val_is_drawn_from_train_alone() -> None:
    test = tuple(Record(f"test/{n}.jpg", Split.TEST, label="awe") for n in range(10))
    split = Counter(r.split for r in with_val((*records(STRATA), *test), ImportOptions()))
    assert split == {Split.TRAIN: 42, Split.VAL: 5, Split.TEST: 10}


def test_a_val_split_that_is_there_is_left_alone() -> None:
    given_val = (*records(STRATA), Record("val/1.jpg", Split.VAL, label="awe"))
    assert with_val(given_val, ImportOptions()) == given_val


def test_no_val_is_drawn_where_none_is_wanted() -> None:
    assert with_val(records(STRATA), ImportOptions(val_fraction=0)) == records(STRATA)


def test_test_is_drawn_first_so_that_the_size_of_val_does_not_change_it() -> None:
    def test_part(val_fraction: float) -> set[str]:
        made = with_test_and_val(records(STRATA), ImportOptions(val_fraction=val_fraction))
        return {r.file_name for r in made if r.split is Split.TEST}

    assert test_part(0.1) == test_part(0.5)


@pytest.mark.parametrize("values", [{"val_fraction": 1.0}, {"val_fraction": -0.1}, {"seed": -1}])
def test_options_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Input should be"):
        ImportOptions.model_validate(values)


@pytest.mark.parametrize("labels", [[], ["awe", "awe"], [""]])
def test_labels_that_make_no_set_are_refused(labels: list[str]) -> None:
    with pytest.raises(ValueError, match="label"):
        ImportOptions.model_validate({"labels": labels})
