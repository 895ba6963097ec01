"""Amalgamate teachers, each pre-trained on one step of perception, into one student."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from models.labels import LabelKind, LabelSet
from training.amalgamation import AmalgamationNetwork, Ties, amalgamation_loss
from training.backbone import build_backbone
from training.checkpoint import load_heads
from training.compute import Compute, seed_everything
from training.config.backbone import BackboneConfig, RunWeights, Weights
from training.config.downstream import AmalgamateConfig, BatchNorm, TeacherConfig
from training.data.labelled import Batch, merged_label_sets, open_datasets
from training.data.skipping import Delivered
from training.downstream import LabelledData, fit_statistics, train_mode
from training.errors import TrainingError
from training.loop import Loop, Validation
from training.network import SentimentNetwork
from training.optimizers import build_optimizer
from training.ranks import ALONE, Ranks
from training.run import RunFolder
from training.stages import Watch, unwatched
from training.stopping import StopRequest


class UntrainedTeacher(TrainingError):
    """A frozen teacher's logits are to be matched, but its heads were never trained."""


@dataclass(frozen=True, slots=True)
class AmalgamationLearner:
    """Teachers and student on the same batches; validated, and kept, is the student."""

    network: AmalgamationNetwork
    data: LabelledData

    @property
    def kept(self) -> SentimentNetwork:
        return self.network.student

    @property
    def steps_per_epoch(self) -> int:
        return self.data.steps_per_epoch

    def start_epoch(self) -> None:
        train_mode(self.network, self.data.config.batch_norm)

    def batches(self, epoch: int, first_step: int) -> Iterable[Delivered[Batch]]:
        return self.data.batches(epoch, first_step)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        taught = self.network(batch.images)
        weights = self.data.config.loss_weights
        return amalgamation_loss(taught, self.network.ties, batch, loss_weights=weights)

    def validate(self, watch: Watch = unwatched) -> Validation:
        return self.data.judged(self.network.student, watch)


def amalgamate(
    config: AmalgamateConfig,
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
    network = AmalgamationNetwork(
        _network(config, config.backbone.weights, label_sets),
        [_teacher(config, teacher, label_sets) for teacher in config.teachers],
        [Ties.of(teacher) for teacher in config.teachers],
    )
    compute.place(network)
    learner = AmalgamationLearner(
        network, LabelledData.of(config, datasets, label_sets, compute=compute)
    )
    members = [network.student, *map(network.teacher, network.ties)]
    sources = [config.backbone.weights, *(teacher.weights for teacher in config.teachers)]
    trained = [True, *(tie.trainable for tie in network.ties)]
    for member, weights, is_trained in zip(members, sources, trained, strict=True):
        if not is_trained or config.batch_norm is BatchNorm.FROZEN:
            fit_statistics(member.backbone, weights, learner.data)
    optimizer = build_optimizer(
        config.optimizer,
        body=nn.ModuleList(member.backbone for member in members),
        heads=nn.ModuleList(member.heads for member in members),
    )
    loop = Loop(learner, optimizer, plan=learner.data.plan, compute=compute, run=run, stop=stop)
    position = loop.fit()
    return {"best_epoch": position.best_epoch, "best_score": position.best_score}


def _network(
    config: AmalgamateConfig, weights: Weights, label_sets: Mapping[LabelKind, LabelSet]
) -> SentimentNetwork:
    backbone = build_backbone(BackboneConfig(name=config.backbone.name, weights=weights))
    return SentimentNetwork(backbone, label_sets, dropout=config.dropout)


def _teacher(
    config: AmalgamateConfig, teacher: TeacherConfig, label_sets: Mapping[LabelKind, LabelSet]
) -> SentimentNetwork:
    """A teacher; where its weights come from a fine-tuned run they bring their heads along."""
    network = _network(config, teacher.weights, label_sets)
    has_heads = isinstance(teacher.weights, RunWeights) and load_heads(
        RunFolder(teacher.weights.run).best_weights, network.heads
    )
    if teacher.match_logits and not teacher.trainable and not has_heads:
        raise UntrainedTeacher(
            f"teacher {teacher.name} is frozen and its logits are to be matched, but its weights "
            f"bring no heads for {', '.join(label_sets)}; fine-tune it on these data sets first, "
            "set trainable: true, or match_logits: false"
        )
    return network
