"""Cells that were run, turned into their metrics files and predictions."""

import platform
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from models.bundle import file_sha256
from training.backbone import build_backbone
from training.compute import Compute, seed_everything
from training.config.backbone import FileWeights, RunWeights
from training.config.downstream import AmalgamateConfig
from training.data.canonical import Split
from training.data.labelled import merged_label_sets, open_datasets
from training.evidence.curves import epochs_of
from training.evidence.experiment import Cell, Experiment, LabelledConfig
from training.evidence.predictions import ImagePredictions
from training.evidence.probe import pooled_features, probe
from training.evidence.results import Pretrained, Result, Tried
from training.evidence.scoring import Judged, network_logits, score
from training.origin import Origin, dataset_lineage
from training.provenance import code_version
from training.run import RunFolder
from training.scoring import protocol
from training.trained import OpenDatasets, TrainedRun


class Scored(NamedTuple):
    """The metrics of a cell, and the predictions they are of."""

    result: Result
    predictions: ImagePredictions


def pretrained(name: str, run: RunFolder) -> Pretrained:
    """The figures of a pre-training that has ended."""
    origin = Origin.read(run)
    epochs = epochs_of(run)
    return Pretrained(
        name=name,
        code_version=origin.code_version if origin else code_version(),
        datasets=origin.datasets if origin else (),
        config=run.config().model_dump(mode="json"),
        best_epoch=epochs.best,
        epochs=epochs.all,
        weights_sha256=file_sha256(run.best_weights),
    )


def trained_cell(
    cell: Cell,
    experiment: Experiment,
    config: LabelledConfig,
    run: RunFolder,
    *,
    tried: tuple[Tried, ...],
) -> Scored:
    """Score the best weights of a cell's run."""
    data = experiment.data(cell)
    trained = TrainedRun.open(run.path, data.root)
    judged = network_logits(trained, data.kind, compute=Compute.choose(config.compute))
    epochs = epochs_of(run)
    return _scored(
        cell,
        experiment,
        config,
        judged,
        datasets=trained.datasets,
        facts={
            "chosen": max(tried, key=lambda one: one.score).name,
            "tried": tried,
            "epochs": epochs.all,
            "best_epoch": epochs.best,
        },
    )


def probed_cell(cell: Cell, experiment: Experiment, config: LabelledConfig) -> Scored:
    """Probe the backbone that a cell starts from; the grid is of penalties, there are no epochs."""
    data = experiment.data(cell)
    compute = Compute.choose(config.compute)
    datasets = open_datasets(config.datasets, data.root)
    label_sets = merged_label_sets(datasets)
    seed_everything(config.seed)  # a backbone that starts at random is the same every time
    backbone = build_backbone(config.backbone)
    compute.place(backbone)
    backbone.eval()
    spec = config.image.preprocessing()
    parts = {
        split: pooled_features(
            backbone, datasets, label_sets, split=split, spec=spec, compute=compute
        )
        for split in Split
    }
    found = probe(data.kind, label_sets[data.kind], parts)
    tried = tuple(Tried(name=f"C={c:g}", score=value) for c, value in found.tried.items())
    facts = {"chosen": f"C={found.chosen:g}", "tried": tried}
    return _scored(cell, experiment, config, found.judged, datasets=datasets, facts=facts)


def _scored(
    cell: Cell,
    experiment: Experiment,
    config: LabelledConfig,
    judged: Judged,
    *,
    datasets: OpenDatasets,
    facts: dict[str, Any],
) -> Scored:
    kind = experiment.data(cell).kind
    labels = merged_label_sets(datasets)[kind]
    ((told, dataset),) = datasets
    spec = config.image.preprocessing()
    result = Result(
        row=cell.row,
        data=cell.data,
        fold=cell.fold,
        seed=cell.seed,
        method=experiment.row(cell).method,
        kind=kind,
        labels=labels,
        protocol=protocol(told, dataset, split=Split.TEST, spec=spec),
        code_version=code_version(),
        machine=_machine(Compute.choose(config.compute)),
        datasets=(dataset_lineage(dataset.root),),
        config=config.model_dump(mode="json"),
        score=score(kind, labels, judged),
        starts=dict(_starts(config)),
        predictions_sha256=judged.test.digest(),
        **facts,
    )
    return Scored(result, judged.test)


def _starts(config: LabelledConfig) -> Iterator[tuple[str, str]]:
    """The files that the networks of a configuration start from, and their digests."""
    teachers = config.teachers if isinstance(config, AmalgamateConfig) else ()
    for weights in (config.backbone.weights, *(teacher.weights for teacher in teachers)):
        match weights:
            case RunWeights(run=folder):
                yield str(folder), file_sha256(RunFolder(folder).best_weights)
            case FileWeights(path=path):
                yield str(path), file_sha256(path)


def _machine(compute: Compute) -> str:
    on_gpu = compute.device.type == "cuda"
    name = torch.cuda.get_device_name(compute.device) if on_gpu else platform.machine()
    arithmetic = str(compute.precision).removeprefix("torch.")
    return f"{name}, {arithmetic}, torch {torch.__version__}"
