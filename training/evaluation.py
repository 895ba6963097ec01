"""What a network says of every sample, and how right it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.labels import LabelKind, LabelSet
from training.compute import Compute
from training.data.labelled import Batch
from training.network import SentimentNetwork
from training.objectives import OBJECTIVES, default_thresholds


@dataclass(frozen=True, slots=True)
class Predictions:
    """Scores N,K of one output, and the targets (N or N,K), for the samples that have the kind."""

    scores: NDArray[np.float64]
    targets: NDArray[Any]


class Collector:
    """Gathers scores and targets batch by batch, of each kind for the samples that have it."""

    def __init__(self, kinds: Iterable[LabelKind]) -> None:
        self._scores: dict[LabelKind, list[NDArray[np.float64]]] = {kind: [] for kind in kinds}
        self._targets: dict[LabelKind, list[NDArray[Any]]] = {kind: [] for kind in self._scores}

    def add(self, batch: Batch, scores: Mapping[LabelKind, NDArray[np.float64]]) -> None:
        """Keep what `scores` (B,K by kind) and `batch` say, for kinds that both have."""
        for kind, kept in self._scores.items():
            if kind in batch.present:
                rows = batch.present[kind].numpy()
                kept.append(scores[kind][rows])
                self._targets[kind].append(batch.targets[kind].numpy()[rows])

    def predictions(self) -> dict[LabelKind, Predictions]:
        """All that was gathered; a kind that no sample had is left out."""
        return {
            kind: Predictions(np.concatenate(scores), np.concatenate(self._targets[kind]))
            for kind, scores in self._scores.items()
            if any(len(part) for part in scores)
        }


def predicted_logits(
    network: nn.Module, batches: Iterable[Batch], *, compute: Compute
) -> dict[LabelKind, Predictions]:
    """Logits of `network` (in evaluation mode) for every sample, by kind."""
    assert isinstance(network, SentimentNetwork)
    network.eval()
    collector = Collector(network.label_sets)
    for batch in batches:
        with torch.inference_mode(), compute.autocast():
            logits = network(compute.images(batch.images)).logits
        collector.add(batch, {k: part.double().cpu().numpy() for k, part in logits.items()})
    return collector.predictions()


def probabilities(kind: LabelKind, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kind's activation of logits N,K."""
    return OBJECTIVES[kind].activation(torch.from_numpy(logits)).double().numpy()


def judge(
    kind: LabelKind,
    predictions: Predictions,
    *,
    labels: LabelSet,
    thresholds: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """All metrics of one output from its probabilities; thresholds are 0.5 unless given."""
    used = default_thresholds(labels) if thresholds is None else thresholds
    return OBJECTIVES[kind].metrics(
        predictions.scores, predictions.targets, labels=labels, thresholds=used
    )


def judge_logits(
    logits: Mapping[LabelKind, Predictions], label_sets: Mapping[LabelKind, LabelSet]
) -> dict[LabelKind, dict[str, float]]:
    """All metrics of every output that has samples, from logits, at thresholds of 0.5."""
    return {
        kind: judge(
            kind,
            Predictions(probabilities(kind, found.scores), found.targets),
            labels=label_sets[kind],
        )
        for kind, found in logits.items()
    }


def selection_score(metrics: Mapping[LabelKind, Mapping[str, float]]) -> float:
    """Sum over outputs of the metric that selects models, signed so that higher is better."""
    total = 0.0
    for kind, values in metrics.items():
        objective = OBJECTIVES[kind]
        if objective.best_metric in values:
            value = values[objective.best_metric]
            total += value if objective.higher_is_better else -value
    return total


def flattened(metrics: Mapping[LabelKind, Mapping[str, float]]) -> dict[str, float]:
    """Metrics of all outputs in one level: `single.top1`, `multi.micro_f1`, ..."""
    return {
        f"{kind}.{name}": value
        for kind, values in metrics.items()
        for name, value in values.items()
    }
