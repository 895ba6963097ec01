"""Fine-tune a backbone, with a label head for each kind of label, on one or more data sets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from models.labels import LabelKind, LabelSet
from training.backbone import build_backbone
from training.compute import Compute, seed_everything
from training.config import FinetuneConfig
from training.data.canonical import Split
from training.data.labelled import (
    Batch,
    LabelledImages,
    labelled_samples,
    merged_label_sets,
    open_datasets,
)
from training.data.loading import EpochOrder, InOrder, load, steps_per_epoch
from training.evaluation import flattened, judge_logits, predicted_logits, selection_score
from training.loop import Loop, Plan
from training.network import SentimentNetwork
from training.objectives import OBJECTIVES
from training.optimizers import build_optimizer
from training.run import RunFolder
from training.stopping import StopRequest
from training.transforms.augment import evaluation_transform, training_transform


def build_network(
    config: FinetuneConfig, label_sets: Mapping[LabelKind, LabelSet]
) -> SentimentNetwork:
    """The configured backbone with one head a kind."""
    backbone = build_backbone(config.backbone)
    return SentimentNetwork(backbone, label_sets, dropout=config.dropout)


@dataclass(frozen=True, slots=True)
class FinetuneLearner:
    """A network and its labelled images; a sample without a kind adds nothing to that loss."""

    network: SentimentNetwork
    config: FinetuneConfig
    compute: Compute
    train: LabelledImages
    val: LabelledImages

    @property
    def steps_per_epoch(self) -> int:
        return steps_per_epoch(len(self.train), self.config.batch_size)

    def batches(self, epoch: int, first_step: int) -> Iterable[Batch]:
        order = EpochOrder(
            len(self.train),
            self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
            first_step=first_step,
        )
        workers = self.compute.loader_workers
        return load(self.train, order, self.network.label_sets, workers=workers)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.network(batch.images).logits
        return {
            kind.value: self.config.loss_weights.get(kind, 1.0)
            * OBJECTIVES[kind].loss(logits[kind], batch.targets[kind], present=batch.present[kind])
            for kind in self.network.label_sets
        }

    def validate(self) -> tuple[dict[str, float], float]:
        order = InOrder(len(self.val), self.config.batch_size)
        workers = self.compute.loader_workers
        loader = load(self.val, order, self.network.label_sets, workers=workers)
        logits = predicted_logits(self.network, loader, compute=self.compute)
        metrics = judge_logits(logits, self.network.label_sets)
        return flattened(metrics), selection_score(metrics)


def finetune(
    config: FinetuneConfig, *, run: RunFolder, datasets_root: Path, stop: StopRequest
) -> dict[str, object]:
    """Train as configured in `run`, resuming where it stopped; returns the best epoch's score."""
    compute = Compute.choose(config.compute)
    seed_everything(config.seed)
    datasets = open_datasets(config.datasets, datasets_root)
    network = build_network(config, merged_label_sets(datasets))
    compute.place(network)
    spec = config.image.preprocessing()
    learner = FinetuneLearner(
        network,
        config,
        compute,
        LabelledImages(
            labelled_samples(datasets, Split.TRAIN),
            training_transform(spec, config.image.train_crop),
        ),
        LabelledImages(labelled_samples(datasets, Split.VAL), evaluation_transform(spec)),
    )
    optimizer = build_optimizer(config.optimizer, body=network.backbone, heads=network.heads)
    plan = Plan(config.epochs, config.schedule, config.checkpoint_every_s)
    loop = Loop(learner, optimizer, plan=plan, compute=compute, run=run, stop=stop)
    position = loop.fit()
    return {"best_epoch": position.best_epoch, "best_score": position.best_score}
