"""Scores a cell's network: calibrated on the validation part, judged on the test images."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from models.labels import LabelKind, LabelSet
from training.compute import Compute
from training.data.canonical import Split
from training.data.labelled import Labelled
from training.data.loading import InOrder, load
from training.errors import TrainingError
from training.evaluation import Predictions, judge, predicted_logits
from training.evidence.predictions import ImagePredictions
from training.evidence.results import Bin, Score
from training.export.calibrate import fitted
from training.metrics.multi import mean_average_precision
from training.metrics.single import confusion_matrix, per_class_f1, per_class_recall
from training.trained import TrainedRun

_BATCH_SIZE = 32
_BINS = 15


class NothingToScore(TrainingError):
    """No image of a split has the kind of label that a cell is about."""


class Judged(NamedTuple):
    """Logits on the validation part, and on the test part with the images' names."""

    val: Predictions
    test: ImagePredictions


def network_logits(trained: TrainedRun, kind: LabelKind, *, compute: Compute) -> Judged:
    """What the best weights of a run say of its validation and test images."""
    compute.place(trained.network)
    found = {}
    for split in (Split.VAL, Split.TEST):
        images = trained.images(split)
        order = InOrder(len(images), _BATCH_SIZE)
        loader = load(images, order, trained.network.label_sets, workers=compute.loader_workers)
        logits = predicted_logits(trained.network, loader, compute=compute)
        if kind not in logits:
            raise NothingToScore(f"no image of the {split} split has {kind} labels")
        found[split] = logits[kind]
    test = found[Split.TEST]
    files = file_names(trained.images(Split.TEST).samples, kind)
    return Judged(
        found[Split.VAL], ImagePredictions(files, test.scores.astype(np.float32), test.targets)
    )


def file_names(samples: Iterable[Labelled], kind: LabelKind) -> tuple[str, ...]:
    """Names of the images that have a kind of label, in the order they are judged in."""
    return tuple(each.sample.file_name for each in samples if kind in each.targets)


def score(kind: LabelKind, labels: LabelSet, judged: Judged) -> Score:
    """All metrics on the test images, at the temperature or the thresholds that fit `val`."""
    temperature, thresholds = fitted(kind, judged.val)
    found = judged.test.judged(kind, temperature=temperature)
    used = None if thresholds is None else np.asarray(thresholds)
    single = kind is LabelKind.SINGLE
    return Score(
        images=len(found.targets),
        temperature=temperature,
        thresholds=thresholds,
        metrics=judge(kind, found, labels=labels, thresholds=used),
        per_label=_PER_LABEL[kind](found),
        confusion=_rows(confusion_matrix(found.scores, found.targets)) if single else None,
        reliability=_reliability(found) if single else None,
    )


def _rows(matrix: np.typing.NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(value) for value in row) for row in matrix)


def _reliability(found: Predictions) -> tuple[Bin, ...]:
    """Bins of equal width by the first label's probability; those without an image are left out."""
    confidence = found.scores.max(axis=1)
    correct = found.scores.argmax(axis=1) == found.targets
    member = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    return tuple(
        Bin(
            images=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(correct[inside].mean()),
        )
        for inside in (member == number for number in range(_BINS))
        if inside.any()
    )


def _of_classes(found: Predictions) -> dict[str, tuple[float, ...]]:
    confusion = confusion_matrix(found.scores, found.targets)
    return {
        "recall": _floats(per_class_recall(confusion)),
        "f1": _floats(per_class_f1(confusion)),
        "images": _floats(confusion.sum(axis=1)),
    }


def _of_labels(found: Predictions) -> dict[str, tuple[float, ...]]:
    columns = range(found.scores.shape[1])
    relevant = found.targets.astype(bool)
    precision = [mean_average_precision(found.scores[:, [c]], relevant[:, [c]]) for c in columns]
    return {"average_precision": _floats(precision), "images": _floats(relevant.sum(axis=0))}


def _of_shares(found: Predictions) -> dict[str, tuple[float, ...]]:
    error = np.abs(found.scores - found.targets).mean(axis=0)
    return {"mean_error": _floats(error), "mean_share": _floats(found.targets.mean(axis=0))}


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


_PER_LABEL = {
    LabelKind.SINGLE: _of_classes,
    LabelKind.MULTI: _of_labels,
    LabelKind.DISTRIBUTION: _of_shares,
}
