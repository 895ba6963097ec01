"""Batches come in an order that seed and epoch decide, wherever a run starts again."""

import multiprocessing
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.labels import LabelKind
from tests.training.generated import FORKS, finetune_config
from training.data.canonical import Split
from training.data.labelled import (
    Batch,
    Draw,
    LabelledImages,
    labelled_samples,
    merged_label_sets,
    open_datasets,
)
from training.data.loading import (
    Cut,
    InOrder,
    NotDivisible,
    TrainingOrder,
    load,
    steps_per_epoch,
)
from training.ranks import Ranks
from training.transforms.augment import training_transform


def epoch(
    samples: int = 20, batch_size: int = 3, *, seed: int = 1, epoch: int = 0, first_step: int = 0
) -> list[list[Draw]]:
    return list(epoch_order(samples, batch_size, seed=seed, epoch=epoch, first_step=first_step))


def epoch_order(
    samples: int,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    first_step: int = 0,
    cut: Cut | None = None,
) -> TrainingOrder:
    """The order of one epoch that passes over all samples once."""
    steps = steps_per_epoch(samples, batch_size)
    first, last = epoch * steps + first_step, (epoch + 1) * steps
    return TrainingOrder(samples, batch_size, seed=seed, first=first, last=last, cut=cut or Cut())


def visited(batches: list[list[Draw]]) -> list[int]:
    return [draw.sample for batch in batches for draw in batch]


@given(samples=st.integers(1, 50), batch_size=st.integers(1, 20), seed=st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=60)
def test_an_epoch_visits_no_sample_twice_and_drops_less_than_a_batch(
    samples: int, batch_size: int, seed: int
) -> None:
    batches = epoch(samples, batch_size, seed=seed)
    seen = visited(batches)
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(range(samples))
    assert samples - len(seen) < batch_size
    assert {len(batch) for batch in batches} == {min(samples, batch_size)}
    assert len(batches) == steps_per_epoch(samples, batch_size)


def test_an_epoch_whose_batches_fill_visits_every_sample() -> None:
    assert sorted(visited(epoch(20, 5))) == list(range(20))


def test_an_order_depends_on_seed_and_epoch_alone() -> None:
    torch.manual_seed(5)
    first = epoch(seed=3, epoch=4)
    torch.manual_seed(6)
    assert epoch(seed=3, epoch=4) == first
    assert visited(epoch(seed=3, epoch=5)) != visited(first)
    assert visited(epoch(seed=4, epoch=4)) != visited(first)


def test_every_visit_to_a_sample_is_augmented_anew() -> None:
    seeds = {draw.seed for n in range(10) for batch in epoch(epoch=n) for draw in batch}
    assert len(seeds) == 10 * 18


@pytest.mark.parametrize("first_step", range(7))
def test_an_order_taken_up_again_goes_on_as_it_would_have(first_step: int) -> None:
    order = epoch_order(20, 3, seed=1, epoch=2, first_step=first_step)
    assert list(order) == epoch(epoch=2)[first_step:]
    assert len(order) == 6 - first_step


def test_epochs_that_pass_over_the_samples_several_times_make_a_new_order_each_time() -> None:
    long = TrainingOrder(20, 5, seed=1, first=0, last=8)
    passes = [visited(list(long)[start : start + 4]) for start in (0, 4)]
    assert passes[0] == visited(epoch(20, 5, epoch=0))
    assert passes[1] == visited(epoch(20, 5, epoch=1))


@pytest.mark.parametrize("parts", [1, 2])
def test_processes_and_parts_share_out_each_batch(parts: int) -> None:
    whole = epoch(24, 8, epoch=2)
    shares = [
        list(epoch_order(24, 8, seed=1, epoch=2, cut=Cut(Ranks(rank, 2), parts)))
        for rank in range(2)
    ]
    for number, batch in enumerate(whole):
        pieces = [s for share in shares for s in share[number * parts : (number + 1) * parts]]
        assert {len(piece) for piece in pieces} == {4 // parts}
        assert sorted(visited(pieces)) == sorted(visited([batch]))


@pytest.mark.parametrize(("samples", "batch_size"), [(24, 9), (6, 8)])
def test_a_batch_that_cannot_be_cut_evenly_is_refused(samples: int, batch_size: int) -> None:
    with pytest.raises(NotDivisible, match="2 processes x 2 parts; choose a batch_size"):
        epoch_order(samples, batch_size, seed=1, epoch=0, cut=Cut(Ranks(0, 2), 2))


@given(samples=st.integers(1, 50), batch_size=st.integers(1, 20))
@settings(deadline=None, max_examples=40)
def test_in_order_every_sample_comes_once(samples: int, batch_size: int) -> None:
    order = InOrder(samples, batch_size)
    assert visited(list(order)) == list(range(samples))
    assert len(order) == len(list(order))
    assert max(map(len, order)) <= batch_size


def test_a_set_smaller_than_a_batch_is_one_batch() -> None:
    assert [sorted(visited([batch])) for batch in epoch(3, 8)] == [[0, 1, 2]]


def loaded_lazily(root: Path, *, workers: int) -> Iterable[Batch]:
    config = finetune_config()
    datasets = open_datasets(config.datasets, root)
    images = LabelledImages(
        labelled_samples(datasets, Split.TRAIN),
        training_transform(config.image.preprocessing(), config.image.train_crop),
    )
    order = epoch_order(len(images), 8, seed=1, epoch=0)
    return load(images, order, merged_label_sets(datasets), workers=workers)


def loaded(root: Path, *, workers: int) -> list[Batch]:
    return list(loaded_lazily(root, workers=workers))


@FORKS
def test_loading_in_a_worker_gives_the_same_batches(few: Path) -> None:
    pairs = list(zip(loaded(few, workers=0), loaded(few, workers=1), strict=True))
    assert len(pairs) == 3
    for here, there in pairs:
        assert torch.equal(here.images, there.images)
        for kind in LabelKind:
            assert torch.equal(here.targets[kind], there.targets[kind])
            assert torch.equal(here.present[kind], there.present[kind])


@FORKS
@pytest.mark.parametrize("workers", [0, 1])
def test_loading_leaves_the_global_random_state_alone(few: Path, workers: int) -> None:
    before = torch.get_rng_state()
    loaded(few, workers=workers)
    assert torch.equal(torch.get_rng_state(), before)


@FORKS
def test_a_signal_from_elsewhere_does_not_end_a_worker(few: Path) -> None:
    batches = iter(loaded_lazily(few, workers=1))
    next(batches)
    (worker,) = multiprocessing.active_children()
    subprocess.run([sys.executable, "-c", f"import os; os.kill({worker.pid}, 15)"], check=True)
    assert len(list(batches)) == 2


@FORKS
def test_a_process_that_exits_can_end_its_worker(few: Path) -> None:
    batches = iter(loaded_lazily(few, workers=1))
    next(batches)
    (worker,) = multiprocessing.active_children()
    worker.terminate()  # as Python does at exit, and then waits
    worker.join()
    assert worker.exitcode == 0
