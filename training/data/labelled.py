"""Several canonical data sets as one list of images with targets; a sample may lack a kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from models.labels import LabelKind, LabelSet
from training.config.datasets import DatasetConfig
from training.data.canonical import CanonicalDataset, Sample, Split
from training.data.decoding import decoded
from training.data.pixel_cache import PixelCache
from training.errors import TrainingError
from training.transforms.augment import Transform

_WRITTEN_TO = 1e-5
"""Shares are written with some six digits: one that far below a threshold is meant to reach it."""


class KindNotOffered(TrainingError):
    """A kind of label was asked of a data set that does not have it."""


class LabelSetsDiffer(TrainingError):
    """Two data sets give one kind of label with different names or another order."""


class NoSamples(TrainingError):
    """No sample is left for a split of the configured data sets."""


class Draw(NamedTuple):
    """One visit to a sample: which one, and the seed of its augmentation."""

    sample: int
    seed: tuple[int, ...]


class Item(NamedTuple):
    """One sample as the network sees it; `targets` holds the kinds the sample has."""

    pixels: NDArray[np.float32]
    targets: dict[LabelKind, NDArray[np.float32]]


class Batch(NamedTuple):
    """Images B,3,H,W; targets of every kind, and for which samples they are present (B)."""

    images: Tensor
    targets: dict[LabelKind, Tensor]
    present: dict[LabelKind, Tensor]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sample with the targets that the configuration takes from its data set."""

    dataset: CanonicalDataset
    sample: Sample
    targets: dict[LabelKind, NDArray[np.float32]]


class LabelledImages(Dataset[Item]):
    """Decoded and transformed samples, looked up by `Draw`."""

    def __init__(
        self,
        samples: Sequence[Labelled],
        transform: Transform,
        *,
        cache: Callable[[int], PixelCache] | None = None,
    ) -> None:
        """`cache` makes one for a number of images, none of them twice."""
        self.samples = tuple(samples)
        self.transform = transform
        numbers: dict[tuple[Path, str], int] = {}
        self._numbers = [
            numbers.setdefault((labelled.dataset.root, labelled.sample.file_name), len(numbers))
            for labelled in (samples if cache else ())
        ]
        self._cache = cache(len(numbers)) if cache else None

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, draw: Draw) -> Item:
        labelled = self.samples[draw.sample]
        read = partial(decoded, labelled.dataset, labelled.sample)
        image = self._cache.image(self._numbers[draw.sample], read) if self._cache else read()
        rng = np.random.default_rng(draw.seed)
        return Item(self.transform(image, rng), labelled.targets)


def open_datasets(
    configs: Sequence[DatasetConfig], root: Path
) -> list[tuple[DatasetConfig, CanonicalDataset]]:
    """The configured data sets below `root`; raises when one is missing or lacks a kind."""
    opened = []
    for config in configs:
        dataset = CanonicalDataset.open(root / config.name)
        for kind in config.kinds:
            if _label_set(config, dataset, kind) is None:
                offered = ", ".join(dataset.label_sets)
                raise KindNotOffered(
                    f"data set {config.name} has no {kind} labels; it offers: {offered}"
                )
        opened.append((config, dataset))
    return opened


def merged_label_sets(
    datasets: Iterable[tuple[DatasetConfig, CanonicalDataset]],
) -> dict[LabelKind, LabelSet]:
    """The label set of every kind in use, one a kind, in LabelKind's order."""
    found: dict[LabelKind, tuple[str, LabelSet]] = {}
    for config, dataset in datasets:
        for kind in config.kinds:
            labels = _label_set(config, dataset, kind)
            assert labels is not None
            name, known = found.setdefault(kind, (config.name, labels))
            if known.names != labels.names:
                raise LabelSetsDiffer(
                    f"{kind} labels of {name} are {list(known.names)}, "
                    f"of {config.name} {list(labels.names)}; one head needs one label set"
                )
    return {kind: found[kind][1] for kind in LabelKind if kind in found}


def labelled_samples(
    datasets: Iterable[tuple[DatasetConfig, CanonicalDataset]], split: Split
) -> list[Labelled]:
    """Every sample of `split` with its targets; raises NoSamples when there is none."""
    samples = [
        Labelled(dataset, sample, _targets(config, dataset, sample))
        for config, dataset in datasets
        for sample in dataset.subset(split)
        for _ in range(config.repeat if split is Split.TRAIN else 1)
    ]
    if not samples:
        raise NoSamples(f"the configured data sets have no sample in their {split} split")
    return samples


def collate(items: Sequence[Item], label_sets: Mapping[LabelKind, LabelSet]) -> Batch:
    """Items as one batch; where a sample lacks a kind its target is zeros and not present."""
    images = torch.from_numpy(np.stack([item.pixels for item in items]))
    targets, present = {}, {}
    for kind, labels in label_sets.items():
        blank = np.zeros(_target_shape(kind, labels), dtype=np.float32)
        found = [item.targets.get(kind, blank) for item in items]
        targets[kind] = torch.from_numpy(stacked_targets(kind, found))
        present[kind] = torch.tensor([kind in item.targets for item in items])
    return Batch(images, targets, present)


def stacked_targets(kind: LabelKind, targets: Sequence[NDArray[np.float32]]) -> NDArray[Any]:
    """The targets of N samples as one array: of single labels their numbers, N; else N,K."""
    stacked = np.stack(targets)
    return stacked.astype(np.int64) if kind is LabelKind.SINGLE else stacked


def _label_set(
    config: DatasetConfig, dataset: CanonicalDataset, kind: LabelKind
) -> LabelSet | None:
    if kind is LabelKind.MULTI and config.multi_at_least is not None:
        return dataset.label_sets.get(LabelKind.DISTRIBUTION)
    return dataset.label_sets.get(kind)


def _target_shape(kind: LabelKind, labels: LabelSet) -> tuple[int, ...]:
    return () if kind is LabelKind.SINGLE else (len(labels),)


def _targets(
    config: DatasetConfig, dataset: CanonicalDataset, sample: Sample
) -> dict[LabelKind, NDArray[np.float32]]:
    made = {kind: _target(config, dataset, sample, kind=kind) for kind in config.kinds}
    return {kind: target for kind, target in made.items() if target is not None}


def _target(
    config: DatasetConfig, dataset: CanonicalDataset, sample: Sample, *, kind: LabelKind
) -> NDArray[np.float32] | None:
    """The target of one kind, or None where the sample has no such label."""
    if kind is LabelKind.SINGLE:
        return None if sample.single is None else np.asarray(sample.single, dtype=np.float32)
    shares = None if sample.shares is None else _normalised(sample.shares)
    if kind is LabelKind.DISTRIBUTION:
        return shares
    if config.multi_at_least is not None:
        least = config.multi_at_least - _WRITTEN_TO
        return None if shares is None else (shares >= least).astype(np.float32)
    if sample.multi is None:
        return None
    target = np.zeros(len(dataset.label_sets[kind]), dtype=np.float32)
    target[list(sample.multi)] = 1.0
    return target


def _normalised(shares: Sequence[float]) -> NDArray[np.float32]:
    """Shares that sum to 1; a data set may give counts of votes."""
    values = np.asarray(shares, dtype=np.float32)
    return np.asarray(values / values.sum())
