"""Fine-tune a backbone, with a label head for each kind of label, on one or more data sets."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from training.backbone import build_backbone
from training.compute import Compute, seed_everything
from training.config.downstream import BatchNorm, FinetuneConfig
from training.data.labelled import Batch, merged_label_sets, open_datasets
from training.data.skipping import Delivered
from training.downstream import LabelledData, fit_statistics, train_mode
from training.loop import Loop, Validation
from training.network import SentimentNetwork
from training.objectives import task_losses
from training.optimizers import build_optimizer
from training.ranks import ALONE, Ranks
from training.run import RunFolder
from training.stages import Watch, unwatched
from training.stopping import StopRequest


@dataclass(frozen=True, slots=True)
class FinetuneLearner:
    """A network and its labelled images; a sample without a kind adds nothing to that loss."""

    network: SentimentNetwork
    data: LabelledData

    @property
    def kept(self) -> SentimentNetwork:
        return self.network

    @property
    def steps_per_epoch(self) -> int:
        return self.data.steps_per_epoch

    def start_epoch(self) -> None:
        train_mode(self.network, self.data.config.batch_norm)
        if not _learns(self.network.backbone):
            self.network.backbone.eval()

    def batches(self, epoch: int, first_step: int) -> Iterable[Delivered[Batch]]:
        return self.data.batches(epoch, first_step)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.network(batch.images).logits
        return task_losses(logits, batch, weights=self.data.config.loss_weights)

    def validate(self, watch: Watch = unwatched) -> Validation:
        return self.data.judged(self.network, watch)


def _learns(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())


def finetune(
    config: FinetuneConfig,
    *,
    run: RunFolder,
    datasets_root: Path,
    stop: StopRequest,
    ranks: Ranks = ALONE,
) -> dict[str, object]:
    """Train as configured in `run`, resuming where it stopped; returns the best epoch's score."""
    compute = Compute.choose(config.compute, ranks, folder=run.path)
    seed_everything(config.seed)
    datasets = open_datasets(config.datasets, datasets_root)
    label_sets = merged_label_sets(datasets)
    backbone = build_backbone(config.backbone)
    backbone.requires_grad_(not config.freeze_backbone)
    network = SentimentNetwork(backbone, label_sets, dropout=config.dropout)
    compute.place(network)
    learner = FinetuneLearner(
        network, LabelledData.of(config, datasets, label_sets, compute=compute)
    )
    if config.freeze_backbone or config.batch_norm is BatchNorm.FROZEN:
        fit_statistics(backbone, config.backbone.weights, learner.data)
    optimizer = build_optimizer(config.optimizer, body=network.backbone, heads=network.heads)
    loop = Loop(learner, optimizer, plan=learner.data.plan, compute=compute, run=run, stop=stop)
    position = loop.fit()
    return {"best_epoch": position.best_epoch, "best_score": position.best_score}
