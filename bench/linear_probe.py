"""The bar a trained model has to clear: linear models on frozen ImageNet features.

The same splits as the model: fitted on train, the strength of the penalty chosen on val, scored on
test. FI: logistic regression on the class. Emotion6: multinomial regression on the rater's shares,
and one logistic regression a label.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.labels import LabelKind
from models.preprocessing import Preprocessing
from training.backbone import Backbone, build_backbone
from training.config.backbone import BackboneConfig, BackboneName, FileWeights
from training.config.datasets import DatasetConfig
from training.data.canonical import Split
from training.data.labelled import (
    LabelledImages,
    labelled_samples,
    merged_label_sets,
    open_datasets,
)
from training.data.loading import InOrder, load
from training.evaluation import Predictions, judge
from training.transforms.augment import evaluation_transform

_PENALTIES = (0.0001, 0.001, 0.01, 0.1, 1.0)
_ITERATIONS = 300
Features = NDArray[np.float64]


def features(
    backbone: Backbone, config: DatasetConfig, split: Split, *, root: Path, size: int
) -> tuple[Features, dict[LabelKind, NDArray[np.float64]]]:
    """Pooled last feature map N,C of one split, and the targets by kind."""
    spec = Preprocessing(size=size, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    datasets = open_datasets([config], root)
    images = LabelledImages(labelled_samples(datasets, split), evaluation_transform(spec))
    pooled, targets = [], []
    loader = load(images, InOrder(len(images), 32), merged_label_sets(datasets), workers=1)
    for batch in loader:
        with torch.inference_mode():
            last = backbone(batch.images.contiguous(memory_format=torch.channels_last))[-1]
        pooled.append(last.mean(dim=(2, 3)).double().numpy())
        targets.append({kind: part.numpy() for kind, part in batch.targets.items()})
    gathered = {kind: np.concatenate([t[kind] for t in targets]) for kind in targets[0]}
    return np.concatenate(pooled), gathered


def fitted(
    kind: LabelKind, x: Features, y: NDArray[np.float64], *, penalty: float, labels: int
) -> list[LogisticRegression]:
    """One multinomial model, or for multi one binary model a label."""

    def model() -> LogisticRegression:
        return LogisticRegression(C=penalty, max_iter=_ITERATIONS)

    if kind is LabelKind.SINGLE:
        return [model().fit(x, y)]
    if kind is LabelKind.MULTI:
        return [model().fit(x, y[:, label]) for label in range(labels)]
    repeated = np.repeat(x, labels, axis=0)  # every sample once a label, weighted by its share
    classes = np.tile(np.arange(labels), len(x))
    return [model().fit(repeated, classes, sample_weight=y.reshape(-1))]


def scores(kind: LabelKind, models: list[LogisticRegression], x: Features) -> Features:
    """Probabilities N,K."""
    if kind is LabelKind.MULTI:
        return np.stack([model.predict_proba(x)[:, 1] for model in models], axis=1)
    found: Features = models[0].predict_proba(x)
    return found


def probe(config: DatasetConfig, backbone: Backbone, *, root: Path, size: int) -> dict[str, object]:
    """Test metrics of every kind of one data set, at the penalty that is best on val."""
    parts = {split: features(backbone, config, split, root=root, size=size) for split in Split}
    scaler = StandardScaler().fit(parts[Split.TRAIN][0])
    x = {split: scaler.transform(part[0]) for split, part in parts.items()}
    label_sets = merged_label_sets(open_datasets([config], root))
    results: dict[str, object] = {}
    for kind, labels in label_sets.items():
        y = {split: part[1][kind] for split, part in parts.items()}
        tried = {}
        for penalty in _PENALTIES:
            models = fitted(
                kind, x[Split.TRAIN], y[Split.TRAIN], penalty=penalty, labels=len(labels)
            )
            judged = {
                split: judge(
                    kind,
                    Predictions(scores(kind, models, x[split]), y[split]),
                    labels=labels,
                )
                for split in (Split.VAL, Split.TEST)
            }
            tried[penalty] = judged
        best = max(tried, key=lambda penalty: _score(kind, tried[penalty][Split.VAL]))
        results[kind.value] = {"C": best, **tried[best][Split.TEST]}
    return results


def _score(kind: LabelKind, metrics: dict[str, float]) -> float:
    if kind is LabelKind.DISTRIBUTION:
        return -metrics["kl"]
    return metrics["top1" if kind is LabelKind.SINGLE else "mean_average_precision"]


def main() -> None:
    """Print the test metrics as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--datasets", type=Path, default=Path("var/datasets"))
    parser.add_argument("--size", type=int, default=224)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    weights = FileWeights(path=arguments.weights)
    backbone = build_backbone(BackboneConfig(name=BackboneName.MOBILENET_V2, weights=weights))
    backbone.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    kinds = (LabelKind.MULTI, LabelKind.DISTRIBUTION)
    for config in (
        DatasetConfig(name="emotion6", kinds=kinds, multi_at_least=0.2),
        DatasetConfig(name="fi", kinds=(LabelKind.SINGLE,)),
    ):
        found = probe(config, backbone, root=arguments.datasets, size=arguments.size)
        print(json.dumps({config.name: found}, indent=2), flush=True)


if __name__ == "__main__":
    main()
