"""A run that trained on labels, opened again: configuration, best weights, data sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from models.labels import LabelKind, LabelSet
from training.backbone import build_backbone
from training.checkpoint import load_weights
from training.config.backbone import BackboneConfig
from training.config.datasets import DatasetConfig
from training.config.downstream import AmalgamateConfig, DownstreamConfig, FinetuneConfig
from training.data.canonical import CanonicalDataset, Split
from training.data.labelled import (
    LabelledImages,
    labelled_samples,
    merged_label_sets,
    open_datasets,
)
from training.errors import TrainingError
from training.network import SentimentNetwork
from training.run import RunFolder
from training.transforms.augment import evaluation_transform

OpenDatasets = Sequence[tuple[DatasetConfig, CanonicalDataset]]


class NotTrained(TrainingError):
    """The run has no trained weights yet."""


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """What a fine-tuning or an amalgamation left behind; of the latter, the student."""

    config: FinetuneConfig | AmalgamateConfig
    network: SentimentNetwork
    datasets: OpenDatasets
    weights: Path

    @classmethod
    def open(cls, path: Path, datasets_root: Path) -> Self:
        """The run at `path` with the best weights on validation data; raises NotTrained."""
        run = RunFolder(path)
        config = run.config()
        if not isinstance(config, FinetuneConfig | AmalgamateConfig):
            raise NotTrained(
                f"{path} is a run of {config.recipe}, expected one of finetune or amalgamate"
            )
        if not run.best_weights.exists():
            raise NotTrained(f"{path} has no {run.best_weights.name} yet: finish its training")
        datasets = open_datasets(config.datasets, datasets_root)
        network = untrained_network(config, merged_label_sets(datasets))
        load_weights(run.best_weights, network)
        return cls(config, network.eval(), datasets, run.best_weights)

    def images(self, split: Split) -> LabelledImages:
        """One split's images, pre-processed as in evaluation."""
        return evaluation_images(self.datasets, split, self.config)


def evaluation_images(
    datasets: OpenDatasets, split: Split, config: DownstreamConfig
) -> LabelledImages:
    """One split's images, pre-processed as `config` evaluates."""
    transform = evaluation_transform(config.image.preprocessing())
    return LabelledImages(labelled_samples(datasets, split), transform)


def untrained_network(
    config: DownstreamConfig, label_sets: Mapping[LabelKind, LabelSet]
) -> SentimentNetwork:
    """The configured network without the weights it once started from: they need not be here."""
    backbone = build_backbone(BackboneConfig(name=config.backbone.name))
    return SentimentNetwork(backbone, label_sets, dropout=config.dropout)
