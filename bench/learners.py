"""The learners that the recipes train, with random weights and on the generated photos."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from torch import nn
from torch.optim import Optimizer

from bench.photos import NAME
from training.amalgamation import AmalgamationNetwork, Ties
from training.backbone import build_backbone
from training.compute import Compute
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.presets import configured, settled
from training.config.pretraining import PretrainConfig
from training.data.canonical import CanonicalDataset, Split
from training.data.labelled import Draw, merged_label_sets, open_datasets
from training.data.skipping import Delivered, Drawn
from training.downstream import LabelledData
from training.network import SentimentNetwork
from training.optimizers import build_optimizer
from training.pretext.corpus import TaskImages, open_corpus
from training.pretext.network import PretrainNetwork
from training.pretext.table import build_task
from training.recipes.amalgamate import AmalgamationLearner
from training.recipes.finetune import FinetuneLearner
from training.recipes.pretrain import PretrainLearner, TaskData
from training.stepper import HasLosses

ENDLESS = 100_000
"""Steps of an epoch, more than a bench takes: the loader never starts anew."""

C = TypeVar("C")
_RANDOM: Mapping[str, Any] = {"source": "random"}


class TimedLearner(HasLosses[Any], Protocol):
    """What a bench asks of a learner."""

    def start_epoch(self) -> None: ...

    def batches(self, epoch: int, first_step: int) -> Iterable[Delivered[Any]]: ...


def pretrain_config(preset: str, **changes: object) -> PretrainConfig:
    """A step's preset on the photos."""
    base = settled({"preset": preset})
    tasks = [{**task, "datasets": [NAME]} for task in _mappings(base["tasks"])]
    given = {**base, **changes, "tasks": tasks, "steps_per_epoch": ENDLESS}
    return _checked(PretrainConfig, given | {"backbone": _random(base)})


def amalgamate_config(preset: str, **changes: object) -> AmalgamateConfig:
    """An amalgamation's preset on the photos; every network starts at random."""
    base = settled({"preset": preset})
    teachers = [{**teacher, "weights": _RANDOM} for teacher in _mappings(base["teachers"])]
    given = {**base, **changes, "teachers": teachers, "datasets": [_photos()]}
    return _checked(AmalgamateConfig, given | {"backbone": _random(base)})


def finetune_config(preset: str, **changes: object) -> FinetuneConfig:
    """A fine-tuning of the student of an amalgamation's preset, on the photos."""
    base = {k: v for k, v in settled({"preset": preset}).items() if k != "teachers"}
    given = {**base, **changes, "recipe": "finetune", "datasets": [_photos()]}
    return _checked(FinetuneConfig, given | {"backbone": _random(base)})


def finetune_learner(config: FinetuneConfig, root: Path) -> FinetuneLearner:
    """As the recipe `finetune` makes it."""
    network, data = _downstream(config, root)
    return FinetuneLearner(network, data)


def amalgamation_learner(config: AmalgamateConfig, root: Path) -> AmalgamationLearner:
    """As the recipe `amalgamate` makes it."""
    student, data = _downstream(config, root)
    ties = [Ties.of(teacher) for teacher in config.teachers]
    teachers = [_network(config, data) for _ in ties]
    network = AmalgamationNetwork(student, teachers, ties)
    data.compute.place(network)
    return AmalgamationLearner(network, data)


def pretrain_learner(config: PretrainConfig, root: Path) -> PretrainLearner:
    """As the recipe `pretrain` makes it."""
    compute = Compute.choose(config.compute, folder=root)
    backbone = build_backbone(config.backbone)
    tasks = {}
    for task in config.tasks:
        corpus = open_corpus(task, root)
        built = build_task(task, corpus, mean=config.mean, std=config.std)
        train = TaskImages(built, corpus, Split.TRAIN, caching=compute.caching)
        val = TaskImages(built, corpus, Split.VAL)
        _read_once(train, corpus)
        tasks[str(task.task)] = TaskData(task, built, train, val)
    network = PretrainNetwork(
        backbone, {name: data.task.head(backbone) for name, data in tasks.items()}
    )
    compute.place(network)
    return PretrainLearner(network, config, compute, tasks)


def optimizer_of(
    config: FinetuneConfig | AmalgamateConfig | PretrainConfig, network: nn.Module
) -> Optimizer:
    """The configured optimiser of all of `network`; one rate for all costs the same."""
    return build_optimizer(config.optimizer, body=network, heads=nn.ModuleList())


def _downstream(
    config: FinetuneConfig | AmalgamateConfig, root: Path
) -> tuple[SentimentNetwork, LabelledData]:
    compute = Compute.choose(config.compute, folder=root)
    datasets = open_datasets(config.datasets, root)
    label_sets = merged_label_sets(datasets)
    data = LabelledData.of(config, datasets, label_sets, compute=compute)
    _read_once(data.train, [dataset for _, dataset in datasets])
    network = _network(config, data)
    compute.place(network)
    return network, data


def _read_once(images: Drawn[Any], datasets: Sequence[CanonicalDataset]) -> None:
    """Where images repeat, they follow each other."""
    different = sum(len(dataset.subset(Split.TRAIN)) for dataset in datasets)
    for at in range(0, len(images), len(images) // different):
        images[Draw(at, (0,))]


def _network(config: FinetuneConfig | AmalgamateConfig, data: LabelledData) -> SentimentNetwork:
    backbone = build_backbone(config.backbone)
    return SentimentNetwork(backbone, data.label_sets, dropout=config.dropout)


def _photos() -> dict[str, object]:
    return {"name": NAME, "kinds": ["single", "distribution"], "repeat": 1000}


def _random(base: Mapping[str, object]) -> dict[str, object]:
    (backbone,) = _mappings([base["backbone"]])
    return {"name": backbone["name"], "weights": _RANDOM}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    assert isinstance(value, list)
    return value


def _checked(kind: type[C], given: Mapping[str, object]) -> C:
    config = configured(given, origin="the bench")
    assert isinstance(config, kind)
    return config
