"""Pre-train a backbone on the two tasks of one step of perception, their losses summed."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from training.backbone import build_backbone
from training.compute import Compute, seed_everything
from training.config.pretraining import PretrainConfig, Task, TaskConfig
from training.data.canonical import Split
from training.data.loading import (
    Cut,
    InOrder,
    TrainingOrder,
    batches,
    deliver,
    steps_per_epoch,
)
from training.data.pixel_cache import Caching
from training.data.skipping import Delivered
from training.loop import Loop, Plan, Validation
from training.optimizers import build_optimizer
from training.pretext.corpus import TaskImages, open_corpus
from training.pretext.network import PretrainNetwork
from training.pretext.statistics import own_statistics
from training.pretext.table import build_task
from training.pretext.task import Examples, Figure, Perplexity, PretextTask, overall, stacked
from training.ranks import ALONE, Ranks
from training.run import RunFolder
from training.stages import Watch, unwatched
from training.stopping import StopRequest

_SEEN = 16
"""Batches that a task's BatchNorm statistics are taken from."""

_SHOWN = 4
"""Images in a panel."""

TaskBatch = Mapping[str, Examples]


@dataclass(frozen=True, slots=True)
class TaskData:
    """One task with the images it learns from and those it is judged on."""

    config: TaskConfig
    task: PretextTask
    train: TaskImages
    val: TaskImages

    @property
    def steps_per_pass(self) -> int:
        """Full batches in one pass over the corpus."""
        return steps_per_epoch(len(self.train), self.config.batch_size)


@dataclass(frozen=True, slots=True)
class PretrainLearner:
    """A backbone with the heads of its tasks; a step sees one batch of each."""

    network: PretrainNetwork
    config: PretrainConfig
    compute: Compute
    tasks: Mapping[str, TaskData]

    @property
    def kept(self) -> nn.Module:
        return self.network

    @property
    def steps_per_epoch(self) -> int:
        """As configured, or one pass over the largest corpus; a smaller one is passed again."""
        longest = max(data.steps_per_pass for data in self.tasks.values())
        return self.config.steps_per_epoch or longest

    def start_epoch(self) -> None:
        self.network.train()

    def batches(self, epoch: int, first_step: int) -> Iterable[Delivered[TaskBatch]]:
        streams = [self._stream(data, epoch, first_step) for data in self.tasks.values()]
        for parts in zip(*streams, strict=True):
            yield Delivered(
                {name: part.batch for name, part in zip(self.tasks, parts, strict=True)},
                sum(part.images for part in parts),
                tuple(reason for part in parts for reason in part.skipped),
            )

    def _stream(self, data: TaskData, epoch: int, first_step: int) -> Iterable[Delivered[Examples]]:
        order = TrainingOrder(
            len(data.train),
            data.config.batch_size,
            seed=self.config.seed,
            first=epoch * self.steps_per_epoch + first_step,
            last=(epoch + 1) * self.steps_per_epoch,
            cut=Cut(self.compute.ranks, self.config.accumulate),
        )
        return deliver(data.train, order, stacked, workers=self.compute.loader_workers)

    def losses(self, batch: TaskBatch) -> dict[str, Tensor]:
        return self.network.losses(batch)

    def validate(self, watch: Watch = unwatched) -> Validation:
        """Every task's losses and figures; the score is minus the sum of the losses."""
        self.network.eval()
        found: dict[str, float] = {}
        panels: dict[str, Tensor] = {}
        total = 0.0
        for name, data in self.tasks.items():
            with own_statistics(self.network.backbone, partial(self._show, name, data)):
                losses, figures = self._judged(name, data, watch=watch)
                panels[name] = self._panel(name, data)
            total += sum(losses.values())
            found |= {f"{name}.{term}": value for term, value in (losses | figures).items()}
        return Validation(found, -total, panels)

    def _judged(
        self, name: str, data: TaskData, *, watch: Watch
    ) -> tuple[dict[str, float], dict[str, float]]:
        head, backbone = self.network.head(name), self.network.backbone
        losses: dict[str, list[Figure]] = {}
        figures: dict[str, list[Figure | Perplexity]] = {}
        for examples in self._validation(name, data, watch=watch):
            count = len(next(iter(examples.values())))
            with torch.inference_mode(), self.compute.autocast():
                moved = self.compute.move(examples)
                for term, loss in head.losses(backbone, moved).items():
                    losses.setdefault(f"loss.{term}", []).append(Figure(float(loss) * count, count))
                for figure, value in head.figures(backbone, moved).items():
                    figures.setdefault(figure, []).append(value)
        return overall(losses), overall(figures)

    def _show(self, name: str, data: TaskData) -> None:
        """Let the backbone see some of the task's training images, the same each time."""
        order = TrainingOrder(
            len(data.train), data.config.batch_size, seed=self.config.seed, first=0, last=_SEEN
        )
        head = self.network.head(name)
        workers = self.compute.loader_workers
        for delivered in deliver(data.train, order, stacked, workers=workers):
            with self.compute.autocast():
                self.network.backbone(head.images(self.compute.move(delivered.batch)))

    def _validation(self, name: str, data: TaskData, *, watch: Watch) -> Iterable[Examples]:
        order = InOrder(len(data.val), data.config.batch_size)
        found = batches(data.val, order, stacked, workers=self.compute.loader_workers)
        return watch(f"validating {name}", found, steps=len(order))

    def _panel(self, name: str, data: TaskData) -> Tensor:
        first = next(iter(InOrder(len(data.val), _SHOWN)))
        examples = self.compute.move(stacked([data.val[draw] for draw in first]))
        with torch.inference_mode():
            return self.network.head(name).panel(self.network.backbone, examples).cpu()


def pretrain(
    config: PretrainConfig,
    *,
    run: RunFolder,
    datasets_root: Path,
    stop: StopRequest,
    ranks: Ranks = ALONE,
) -> dict[str, object]:
    """Train as configured in `run`, resuming where it stopped; returns the best epoch's score."""
    compute = Compute.choose(config.compute, ranks, folder=run.path)
    seed_everything(config.seed)
    backbone = build_backbone(config.backbone)
    tasks = {
        str(task.task): _task_data(task, config, datasets_root, caching=compute.caching)
        for task in config.tasks
    }
    network = PretrainNetwork(
        backbone, {name: data.task.head(backbone) for name, data in tasks.items()}
    )
    compute.place(network)
    facts = {name: dict(data.task.facts) for name, data in tasks.items()}
    if run.writes:
        run.write(run.path / "tasks.json", json.dumps(facts, indent=2) + "\n")
    learner = PretrainLearner(network, config, compute, tasks)
    optimizer = build_optimizer(
        config.optimizer,
        body=network.backbone,
        heads=network.heads,
        own_rates={
            str(task.task): task.head_learning_rate
            for task in config.tasks
            if task.head_learning_rate
        },
    )
    plan = Plan(
        config.epochs,
        config.schedule,
        config.checkpoint_every_s,
        accumulate=config.accumulate,
        max_unreadable=math.ceil(
            config.max_unreadable * max(len(data.train) for data in tasks.values())
        ),
    )
    loop = Loop(learner, optimizer, plan=plan, compute=compute, run=run, stop=stop)
    position = loop.fit()
    return {"best_epoch": position.best_epoch, "best_score": position.best_score}


def _task_data(
    task: Task, config: PretrainConfig, root: Path, *, caching: Caching | None
) -> TaskData:
    datasets = open_corpus(task, root)
    built = build_task(task, datasets, mean=config.mean, std=config.std)
    return TaskData(
        task,
        built,
        TaskImages(built, datasets, Split.TRAIN, caching=caching),
        TaskImages(built, datasets, Split.VAL),
    )
