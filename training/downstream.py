"""Labelled images as trainings see them: batches for every epoch, and how a network is judged."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from models.labels import LabelKind, LabelSet
from training.compute import Compute
from training.config.backbone import RunWeights, Weights
from training.config.downstream import BatchNorm, DownstreamConfig
from training.config.pretraining import PretrainConfig
from training.data.canonical import Split
from training.data.labelled import Batch, LabelledImages, collate, labelled_samples
from training.data.loading import Cut, InOrder, TrainingOrder, deliver, load, steps_per_epoch
from training.data.skipping import Delivered
from training.evaluation import flattened, judge_logits, predicted_logits, selection_score
from training.loop import Plan, Validation
from training.network import SentimentNetwork
from training.pretext.statistics import take_statistics
from training.run import RunFolder
from training.stages import Watch, unwatched
from training.trained import OpenDatasets
from training.transforms.augment import evaluation_transform, training_transform

_SEEN = 16
"""Batches that BatchNorm statistics are taken from."""


@dataclass(frozen=True, slots=True)
class LabelledData:
    """The training and validation parts of the configured data sets."""

    config: DownstreamConfig
    label_sets: Mapping[LabelKind, LabelSet]
    compute: Compute
    train: LabelledImages
    val: LabelledImages

    @classmethod
    def of(
        cls,
        config: DownstreamConfig,
        datasets: OpenDatasets,
        label_sets: Mapping[LabelKind, LabelSet],
        *,
        compute: Compute,
    ) -> Self:
        """The parts of `datasets`; raises NoSamples where one is empty."""
        image = config.image
        fixed = image.training_preprocessing()
        train = labelled_samples(datasets, Split.TRAIN)
        caching = compute.caching
        return cls(
            config,
            label_sets,
            compute,
            LabelledImages(
                train,
                training_transform(fixed, image.train_crop, min_area=image.train_min_area),
                cache=partial(caching.of, fixed) if caching else None,
            ),
            LabelledImages(
                labelled_samples(datasets, Split.VAL), evaluation_transform(image.preprocessing())
            ),
        )

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps an epoch, over all processes."""
        return steps_per_epoch(len(self.train), self.config.batch_size)

    @property
    def plan(self) -> Plan:
        """The configured plan."""
        return Plan(
            self.config.epochs,
            self.config.schedule,
            self.config.checkpoint_every_s,
            accumulate=self.config.accumulate,
            max_unreadable=math.ceil(self.config.max_unreadable * len(self.train)),
        )

    def batches(self, epoch: int, first_step: int) -> Iterable[Delivered[Batch]]:
        """This process's batches of `epoch`, from `first_step` on."""
        order = TrainingOrder(
            len(self.train),
            self.config.batch_size,
            seed=self.config.seed,
            first=epoch * self.steps_per_epoch + first_step,
            last=(epoch + 1) * self.steps_per_epoch,
            cut=Cut(self.compute.ranks, self.config.accumulate),
        )
        return self._delivered(order)

    def show(self, backbone: nn.Module) -> None:
        """Let a backbone see some training images, the same each time and in every process."""
        order = TrainingOrder(
            len(self.train), self.config.batch_size, seed=self.config.seed, first=0, last=_SEEN
        )
        for delivered in self._delivered(order):
            with self.compute.autocast():
                backbone(self.compute.images(delivered.batch.images))

    def _delivered(self, order: TrainingOrder) -> Iterable[Delivered[Batch]]:
        together = partial(collate, label_sets=self.label_sets)
        return deliver(self.train, order, together, workers=self.compute.loader_workers)

    def judged(self, network: SentimentNetwork, watch: Watch = unwatched) -> Validation:
        """All metrics of `network` on the validation part, and the score that selects weights."""
        order = InOrder(len(self.val), self.config.batch_size)
        loader = load(self.val, order, self.label_sets, workers=self.compute.loader_workers)
        watched = watch("validating", loader, steps=len(order))
        logits = predicted_logits(network, watched, compute=self.compute)
        metrics = judge_logits(logits, self.label_sets)
        return Validation(flattened(metrics), selection_score(metrics))


def fit_statistics(backbone: nn.Module, weights: Weights, data: LabelledData) -> None:
    """Give a backbone that is to stay in evaluation mode the statistics of its images.

    The averages that a pre-training leaves mix its two tasks; other weights bring fitting ones.
    """
    if isinstance(weights, RunWeights) and isinstance(
        RunFolder(weights.run).config(), PretrainConfig
    ):
        take_statistics(backbone, partial(data.show, backbone))


def train_mode(network: nn.Module, batch_norm: BatchNorm) -> None:
    """Put `network` into training mode, but for BatchNorm that is to stay as it is."""
    network.train()
    if batch_norm is BatchNorm.FROZEN:
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
