"""Data sets side by side: whose labels count, what a sample lacks, what cannot be read."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.labels import LabelKind, LabelSet
from tests.training.data.layouts import picture, write_folder
from tests.training.generated import FORKS, NAME, SHARES, finetune_config
from training.config.datasets import DatasetConfig
from training.data.canonical import CanonicalDataset, Sample, Split
from training.data.columns import BadDataset
from training.data.decoding import UnreadableImage
from training.data.labelled import (
    Draw,
    Item,
    KindNotOffered,
    LabelledImages,
    LabelSetsDiffer,
    NoSamples,
    collate,
    labelled_samples,
    merged_label_sets,
    open_datasets,
)
from training.data.loading import InOrder, load
from training.transforms.augment import evaluation_transform, training_transform

ABC = LabelSet(names=("a", "b", "c"))
SINGLE, MULTI, DISTRIBUTION = LabelKind
SPEC = finetune_config().image.preprocessing()
BLANK = Sample("images/0.png", Split.TRAIN, single=None, multi=None, shares=None, captions=())


def dataset(
    *samples: Sample, sets: Mapping[LabelKind, LabelSet], name: str = "first", root: Path = Path()
) -> CanonicalDataset:
    return CanonicalDataset(name, "digest", sets, samples, root)


def taking(*kinds: LabelKind, name: str = "first", **more: Any) -> DatasetConfig:
    return DatasetConfig.model_validate({"name": name, "kinds": kinds, **more})


def target(sample: Sample, kind: LabelKind, **more: Any) -> list[float] | float:
    """What a network is to learn of `sample`; KeyError where it has nothing to teach."""
    given = dataset(sample, sets=dict.fromkeys(LabelKind, ABC))
    (labelled,) = labelled_samples([(taking(kind, **more), given)], Split.TRAIN)
    found: list[float] | float = labelled.targets[kind].tolist()
    return found


def test_heads_are_in_the_order_of_kinds_whichever_data_set_comes_first() -> None:
    shares = dataset(sets={DISTRIBUTION: ABC})
    single = dataset(sets={SINGLE: LabelSet(names=("x", "y"))}, name="second")
    merged = merged_label_sets(
        [(taking(DISTRIBUTION), shares), (taking(SINGLE, name="second"), single)]
    )
    assert [(kind, labels.names) for kind, labels in merged.items()] == [
        (SINGLE, ("x", "y")),
        (DISTRIBUTION, ("a", "b", "c")),
    ]


def test_labels_in_another_order_are_refused() -> None:
    other = dataset(sets={SINGLE: LabelSet(names=("b", "a", "c"))}, name="second")
    both = [
        (taking(SINGLE), dataset(sets={SINGLE: ABC})),
        (taking(SINGLE, name="second"), other),
    ]
    with pytest.raises(LabelSetsDiffer, match=r"of first are \['a', .*, of second \['b', 'a'"):
        merged_label_sets(both)


def test_a_kind_that_is_not_taken_from_a_data_set_does_not_have_to_fit() -> None:
    other = dataset(sets={SINGLE: LabelSet(names=("z",)), MULTI: ABC}, name="second")
    merged = merged_label_sets(
        [(taking(SINGLE), dataset(sets={SINGLE: ABC})), (taking(MULTI, name="second"), other)]
    )
    assert merged == {SINGLE: ABC, MULTI: ABC}


def test_a_kind_that_is_not_offered_is_named_with_those_that_are(few: Path) -> None:
    with pytest.raises(KindNotOffered, match="no multi labels; it offers: single, distribution"):
        open_datasets([taking(MULTI, name=NAME)], few)


def test_derived_multi_labels_are_those_of_the_shares(few: Path) -> None:
    ((config, opened),) = open_datasets([taking(MULTI, name=NAME, multi_at_least=0.2)], few)
    assert merged_label_sets([(config, opened)]) == {MULTI: opened.label_sets[DISTRIBUTION]}


def test_a_data_set_that_was_not_imported_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="import it first"):
        open_datasets([taking(SINGLE)], tmp_path)


def test_a_single_label_is_its_position() -> None:
    assert target(replace(BLANK, single=2), SINGLE) == 2


def test_votes_become_shares() -> None:
    assert target(replace(BLANK, shares=(3, 1, 0)), DISTRIBUTION) == [0.75, 0.25, 0]


def test_multi_labels_are_ones_where_they_hold() -> None:
    assert target(replace(BLANK, multi=(0, 2)), MULTI) == [1, 0, 1]


def test_no_label_holds_is_something_to_learn() -> None:
    assert target(replace(BLANK, multi=()), MULTI) == [0, 0, 0]


@pytest.mark.parametrize(
    ("shares", "labels"),
    [
        ((0.2, 0.3, 0.5), [1, 1, 1]),
        (SHARES, [1, 1, 0]),
        ((0.7, 0.199, 0.101), [1, 0, 0]),
        ((3, 2, 10), [1, 0, 1]),  # of fifteen raters three are a share of 0.2
        ((1, 4, 0), [1, 1, 0]),
        ((0.333333, 0.466667, 0.2), [1, 1, 1]),
    ],
)
def test_a_label_derived_from_shares_holds_where_its_share_is_the_least_or_more(
    shares: tuple[float, float, float], labels: list[float]
) -> None:
    assert target(replace(BLANK, shares=shares), MULTI, multi_at_least=0.2) == labels


def test_derived_labels_take_no_notice_of_labels_that_are_given() -> None:
    sample = replace(BLANK, multi=(2,), shares=(1, 0, 0))
    assert target(sample, MULTI, multi_at_least=0.2) == [1, 0, 0]


@pytest.mark.parametrize("kind", list(LabelKind))
def test_a_sample_without_a_kind_has_no_target_of_it(kind: LabelKind) -> None:
    with pytest.raises(KeyError):
        target(BLANK, kind)


def test_shares_that_are_not_known_derive_nothing() -> None:
    with pytest.raises(KeyError):
        target(replace(BLANK, multi=(1,)), MULTI, multi_at_least=0.2)


def test_a_data_set_is_repeated_in_training_alone() -> None:
    parts = [replace(BLANK, split=split) for split in Split]
    given = [(taking(SINGLE, repeat=3), dataset(*parts, sets={SINGLE: ABC}))]
    assert [len(labelled_samples(given, split)) for split in Split] == [3, 1, 1]


def test_a_split_without_samples_is_an_error() -> None:
    with pytest.raises(NoSamples, match="no sample in their val split"):
        labelled_samples([(taking(SINGLE), dataset(BLANK, sets={SINGLE: ABC}))], Split.VAL)


def item(**targets: object) -> Item:
    found = {LabelKind(kind): np.asarray(value, np.float32) for kind, value in targets.items()}
    return Item(np.zeros((3, 2, 2), np.float32), found)


def test_a_batch_says_which_samples_have_a_kind() -> None:
    items = [item(single=2), item(distribution=[0.5, 0.5]), item(single=1, distribution=[1, 0])]
    sets = {SINGLE: ABC, DISTRIBUTION: LabelSet(names=("a", "b"))}
    images, targets, present = collate(items, sets)
    assert images.shape == (3, 3, 2, 2)
    assert targets[SINGLE].dtype is torch.int64
    assert targets[SINGLE].tolist() == [2, 0, 1]
    assert present[SINGLE].tolist() == [True, False, True]
    assert targets[DISTRIBUTION].tolist() == [[0, 0], [0.5, 0.5], [1, 0]]
    assert present[DISTRIBUTION].tolist() == [False, True, True]


def test_a_batch_of_one_keeps_its_axis() -> None:
    images, targets, present = collate([item(single=1)], {SINGLE: ABC, MULTI: ABC})
    assert images.shape == (1, 3, 2, 2)
    assert (targets[SINGLE].shape, targets[MULTI].shape) == ((1,), (1, 3))
    assert (present[SINGLE].tolist(), present[MULTI].tolist()) == ([True], [False])


def images_of(root: Path, content: bytes) -> LabelledImages:
    write_folder(root, {BLANK.file_name: content})
    given = dataset(replace(BLANK, single=0), sets={SINGLE: ABC}, root=root)
    samples = labelled_samples([(taking(SINGLE), given)], Split.TRAIN)
    return LabelledImages(samples, evaluation_transform(SPEC))


def test_the_same_visit_is_augmented_in_the_same_way(tmp_path: Path) -> None:
    images = LabelledImages(
        images_of(tmp_path, picture(0)).samples, training_transform(SPEC, crop=16)
    )
    first, again, other = (images[Draw(0, seed)].pixels for seed in ((1, 0), (1, 0), (1, 1)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("content", [b"", b"no image", picture(0)[:-40]])
def test_an_image_that_cannot_be_read_is_named_with_its_data_set(
    tmp_path: Path, content: bytes
) -> None:
    images = images_of(tmp_path, content)
    with pytest.raises(UnreadableImage, match=r"images/0\.png of data set first cannot be read"):
        images[Draw(0, (0,))]


def test_an_image_that_vanished_is_named(tmp_path: Path) -> None:
    images = images_of(tmp_path, picture(0))
    (tmp_path / BLANK.file_name).unlink()
    with pytest.raises(UnreadableImage, match=r"images/0\.png of data set first .*No such file"):
        images[Draw(0, (0,))]


@FORKS
def test_an_image_that_a_loaders_worker_cannot_read_is_named_all_the_same(tmp_path: Path) -> None:
    loader = load(images_of(tmp_path, b"no image"), InOrder(1, 1), {SINGLE: ABC}, workers=1)
    with pytest.raises(UnreadableImage, match=r"images/0\.png of data set first cannot be read"):
        list(loader)
