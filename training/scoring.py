"""Metrics data set by data set: what evaluation reports and a manifest keeps."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from models.labels import LabelKind, LabelSet
from models.manifest import Evaluation, Manifest, Output, Precision
from models.preprocessing import Preprocessing
from models.runtime import Session
from training.bundle_evaluation import bundle_predictions
from training.calibration import label_set_figures
from training.compute import Compute
from training.config.datasets import DatasetConfig
from training.data.canonical import CanonicalDataset, Split
from training.data.labelled import (
    LabelledImages,
    LabelSetsDiffer,
    labelled_samples,
    merged_label_sets,
)
from training.data.loading import InOrder, load
from training.detail import detail
from training.evaluation import Predictions, judge, predicted_logits, probabilities
from training.network import SentimentNetwork
from training.objectives import default_thresholds
from training.stages import Watch, unwatched
from training.trained import OpenDatasets
from training.transforms.augment import evaluation_transform


def score_bundle(
    session: Session,
    datasets: OpenDatasets,
    split: Split,
    *,
    batch_size: int,
    workers: int,
    watch: Watch = unwatched,
) -> Iterator[Evaluation]:
    """Metrics of every output of a bundle on every data set that has its kind of label."""
    manifest = session.manifest
    label_sets = {head.kind: head.labels for head in manifest.outputs}
    for config, dataset in datasets:
        _check_labels(config, dataset, label_sets)
        images = _images(config, dataset, split=split, spec=manifest.preprocessing)
        order = InOrder(len(images), batch_size)
        loader = load(images, order, label_sets, workers=workers)
        stage = f"scoring {session.precision} on {dataset.name}"
        found = bundle_predictions(session, watch(stage, loader, steps=len(order)))
        for kind, predictions in found.items():
            yield _evaluation(
                kind,
                predictions,
                head=_head(manifest, kind),
                protocol=protocol(config, dataset, split=split, spec=manifest.preprocessing),
                dataset=dataset,
                split=split,
                precision=session.precision,
            )


def score_network(
    network: SentimentNetwork,
    datasets: OpenDatasets,
    split: Split,
    *,
    heads: Iterable[Output],
    spec: Preprocessing,
    batch_size: int,
    compute: Compute,
    watch: Watch = unwatched,
) -> Iterator[Evaluation]:
    """The same of a network in PyTorch, with the temperatures and thresholds of `heads`."""
    by_kind = {head.kind: head for head in heads}
    for config, dataset in datasets:
        _check_labels(config, dataset, network.label_sets)
        images = _images(config, dataset, split=split, spec=spec)
        order = InOrder(len(images), batch_size)
        loader = load(images, order, network.label_sets, workers=compute.loader_workers)
        watched = watch(f"scoring on {dataset.name}", loader, steps=len(order))
        for kind, logits in predicted_logits(network, watched, compute=compute).items():
            scores = probabilities(kind, logits.scores / by_kind[kind].temperature)
            yield _evaluation(
                kind,
                Predictions(scores, logits.targets),
                head=by_kind[kind],
                protocol=protocol(config, dataset, split=split, spec=spec),
                dataset=dataset,
                split=split,
                precision=Precision.FP32,
            )


def protocol(
    config: DatasetConfig, dataset: CanonicalDataset, *, split: Split, spec: Preprocessing
) -> str:
    """How a figure came about, in one sentence."""
    derived = (
        f"; multi-label derived: a label holds where its share is at least {config.multi_at_least}"
        if config.multi_at_least is not None
        else ""
    )
    return (
        f"{dataset.name}, {split} split of the data set with digest {dataset.digest[:12]}; "
        f"images {spec.resize} to {spec.size} pixels, one view{derived}"
    )


def _check_labels(
    config: DatasetConfig, dataset: CanonicalDataset, label_sets: Mapping[LabelKind, LabelSet]
) -> None:
    """A data set may lack a kind, but not have its labels in another order than the model."""
    for kind, labels in merged_label_sets([(config, dataset)]).items():
        known = label_sets.get(kind, labels)
        if known.names != labels.names:
            raise LabelSetsDiffer(
                f"{kind} labels of data set {dataset.name} are {list(labels.names)}, "
                f"of the model {list(known.names)}; they have to be the same, in the same order"
            )


def _images(
    config: DatasetConfig, dataset: CanonicalDataset, *, split: Split, spec: Preprocessing
) -> LabelledImages:
    samples = labelled_samples([(config, dataset)], split)
    return LabelledImages(samples, evaluation_transform(spec))


def _head(manifest: Manifest, kind: LabelKind) -> Output:
    head = manifest.output(kind)
    assert head is not None
    return head


def _evaluation(
    kind: LabelKind,
    predictions: Predictions,
    *,
    head: Output,
    protocol: str,
    dataset: CanonicalDataset,
    split: Split,
    precision: Precision,
) -> Evaluation:
    thresholds = (
        default_thresholds(head.labels) if head.thresholds is None else np.asarray(head.thresholds)
    )
    return Evaluation(
        output=kind,
        dataset=dataset.name,
        split=split.value,
        protocol=protocol,
        images=len(predictions.targets),
        precision=precision,
        metrics=judge(kind, predictions, labels=head.labels, thresholds=thresholds)
        | _label_set_metrics(head, predictions),
        detail=detail(kind, predictions, temperature=head.temperature, thresholds=thresholds),
    )


def _label_set_metrics(head: Output, predictions: Predictions) -> dict[str, float]:
    """Whether the label sets keep what they promise, and how large they are."""
    metrics: dict[str, float] = {}
    for each in head.label_sets:
        covered, size = label_set_figures(
            predictions.scores, predictions.targets, threshold=each.threshold
        )
        metrics[f"set_coverage_at_{each.coverage:g}"] = covered
        metrics[f"set_size_at_{each.coverage:g}"] = size
    return metrics
