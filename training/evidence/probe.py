"""Linear models on frozen features: the bar that any training has to clear.

Fitted on the training part; the strength of the penalty is chosen on the validation part. Single
labels: logistic regression. Multi: one a label. Distributions: multinomial, weighted by the shares.
"""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.labels import LabelKind, LabelSet
from models.preprocessing import Preprocessing
from training.backbone import Backbone
from training.compute import Compute
from training.data.canonical import Split
from training.data.labelled import LabelledImages, labelled_samples
from training.data.loading import InOrder, load
from training.evaluation import Predictions, judge, probabilities, selection_score
from training.evidence.predictions import ImagePredictions
from training.evidence.scoring import Judged, file_names
from training.trained import OpenDatasets
from training.transforms.augment import evaluation_transform

PENALTIES = (1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1.0)
"""scikit-learn's C, the inverse of the penalty's strength."""

_ITERATIONS = 300
_BATCH_SIZE = 32
_NEXT_TO_NONE = 1e-6
"""Probability of a label that no training image has."""

Features = NDArray[np.float64]


class Part(NamedTuple):
    """Features N,C of one split, the targets by kind, and the images' names by kind."""

    features: Features
    targets: Mapping[LabelKind, NDArray[np.float64]]
    files: Mapping[LabelKind, tuple[str, ...]]


class Probed(NamedTuple):
    """The logits of the best penalty, and every penalty's score on validation data."""

    judged: Judged
    tried: Mapping[float, float]
    chosen: float


def pooled_features(
    backbone: Backbone,
    datasets: OpenDatasets,
    label_sets: Mapping[LabelKind, LabelSet],
    *,
    split: Split,
    spec: Preprocessing,
    compute: Compute,
) -> Part:
    """The pooled last feature map of every image of a split, each with all kinds of label."""
    images = LabelledImages(labelled_samples(datasets, split), evaluation_transform(spec))
    order = InOrder(len(images), _BATCH_SIZE)
    pooled, targets = [], []
    for batch in load(images, order, label_sets, workers=compute.loader_workers):
        with torch.inference_mode(), compute.autocast():
            last = backbone(compute.images(batch.images))[-1]  # B,C,h,w
        pooled.append(last.float().mean(dim=(2, 3)).double().cpu().numpy())
        targets.append({kind: part.numpy() for kind, part in batch.targets.items()})
    gathered = {kind: np.concatenate([t[kind] for t in targets]) for kind in label_sets}
    files = {kind: file_names(images.samples, kind) for kind in label_sets}
    return Part(np.concatenate(pooled), gathered, files)


def probe(kind: LabelKind, labels: LabelSet, parts: Mapping[Split, Part]) -> Probed:
    """Fit a model a penalty, and keep the one that is best on the validation part."""
    scaler = StandardScaler().fit(parts[Split.TRAIN].features)
    x = {split: scaler.transform(part.features) for split, part in parts.items()}
    y = {split: part.targets[kind] for split, part in parts.items()}
    tried, logits = {}, {}
    for penalty in PENALTIES:
        models = _fitted(kind, x[Split.TRAIN], y[Split.TRAIN], penalty=penalty, labels=len(labels))
        logits[penalty] = {
            split: _logits(kind, models, x[split], labels=len(labels))
            for split in (Split.VAL, Split.TEST)
        }
        val = Predictions(probabilities(kind, logits[penalty][Split.VAL]), y[Split.VAL])
        tried[penalty] = selection_score({kind: judge(kind, val, labels=labels)})
    chosen = max(tried, key=lambda penalty: tried[penalty])
    test = logits[chosen][Split.TEST].astype(np.float32)
    judged = Judged(
        Predictions(logits[chosen][Split.VAL], y[Split.VAL]),
        ImagePredictions(parts[Split.TEST].files[kind], test, y[Split.TEST]),
    )
    return Probed(judged, tried, chosen)


def _fitted(
    kind: LabelKind, x: Features, y: NDArray[np.float64], *, penalty: float, labels: int
) -> list[LogisticRegression | None]:
    """One multinomial model, or for multi one binary model a label (none where no image has it)."""

    def fit(
        rows: Features, classes: NDArray[np.float64], weights: Features | None = None
    ) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=penalty, max_iter=_ITERATIONS)
            return model.fit(rows, classes, sample_weight=weights)

    if kind is LabelKind.SINGLE:
        return [fit(x, y)]
    if kind is LabelKind.MULTI:
        columns = (y[:, label] for label in range(labels))
        return [fit(x, column) if column.any() else None for column in columns]
    repeated = np.repeat(x, labels, axis=0)  # every image once a label, weighted by its share
    classes = np.tile(np.arange(labels, dtype=np.float64), len(x))
    held = y.reshape(-1) > 0
    return [fit(repeated[held], classes[held], y.reshape(-1)[held])]


def _logits(
    kind: LabelKind, models: list[LogisticRegression | None], x: Features, *, labels: int
) -> Features:
    """Logits N,K; a class that was not in the training part gets next to no probability."""
    if kind is LabelKind.MULTI:
        constant = np.full(len(x), np.log(_NEXT_TO_NONE))
        columns = [constant if m is None else m.decision_function(x) for m in models]
        return np.stack(columns, axis=1)
    (model,) = models
    assert model is not None
    found = np.full((len(x), labels), np.log(_NEXT_TO_NONE))
    found[:, model.classes_.astype(int)] = model.predict_log_proba(x)
    return np.asarray(found)
