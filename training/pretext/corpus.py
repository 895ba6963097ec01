"""A corpus as one task sees it: its images as examples, looked up by `Draw`."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from training.config.pretraining import TaskConfig
from training.data.canonical import CanonicalDataset, Sample, Split
from training.data.decoding import UnreadableImage, decoded
from training.data.labelled import Draw
from training.data.pixel_cache import Caching, PixelCache
from training.errors import TrainingError
from training.pretext.task import Example, PretextTask


class EmptyCorpus(TrainingError):
    """A task's data sets have no image in a split that is needed."""


class TaskImages(Dataset[Example]):
    """The images of one split of a task's data sets, as the task's examples."""

    def __init__(
        self,
        task: PretextTask,
        datasets: Sequence[CanonicalDataset],
        split: Split,
        *,
        caching: Caching | None = None,
    ) -> None:
        self._task = task
        self._samples: list[tuple[CanonicalDataset, Sample]] = [
            (dataset, sample) for dataset in datasets for sample in dataset.subset(split)
        ]
        if not self._samples:
            names = ", ".join(dataset.name for dataset in datasets)
            raise EmptyCorpus(f"the corpus ({names}) has no image in its {split} split")
        self._cache = (
            caching.of(task.fixed, len(self._samples)) if caching else PixelCache(task.fixed)
        )

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, draw: Draw) -> Example:
        dataset, sample = self._samples[draw.sample]
        rng = np.random.default_rng(draw.seed)
        image = self._cache.image(draw.sample, partial(decoded, dataset, sample))
        return self._task.example(image, sample, rng)


def open_corpus(config: TaskConfig, root: Path) -> list[CanonicalDataset]:
    """The data sets of a task below `root`; raises when one is missing or damaged."""
    return [CanonicalDataset.open(root / name) for name in config.datasets]


def few_images(datasets: Sequence[CanonicalDataset], most: int) -> Iterator[Image.Image]:
    """At most `most` training images from all over the data sets, the same ones every time.

    One that cannot be read is left out; raises EmptyCorpus where that leaves none.
    """
    samples = [(dataset, sample) for dataset in datasets for sample in dataset.subset(Split.TRAIN)]
    found = 0
    for at in np.linspace(0, len(samples), min(most, len(samples)), endpoint=False).astype(int):
        try:
            image = decoded(*samples[at])
        except UnreadableImage:
            continue
        found += 1
        yield image
    if not found:
        names = ", ".join(dataset.name for dataset in datasets)
        raise EmptyCorpus(f"the corpus ({names}) has no image in its train split that can be read")
