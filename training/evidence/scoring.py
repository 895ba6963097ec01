"""Scores a cell's network: calibrated on the validation part, judged on the test images."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from models.labels import LabelKind, LabelSet
from training.compute import Compute
from training.data.canonical import Split
from training.data.labelled import Labelled
from training.data.loading import InOrder, load
from training.detail import detail
from training.errors import TrainingError
from training.evaluation import Predictions, judge, predicted_logits
from training.evidence.predictions import ImagePredictions
from training.evidence.results import Score
from training.export.calibrate import fitted
from training.objectives import default_thresholds
from training.trained import TrainedRun

_BATCH_SIZE = 32


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
    used = default_thresholds(labels) if thresholds is None else np.asarray(thresholds)
    return Score(
        images=len(found.targets),
        temperature=temperature,
        thresholds=thresholds,
        metrics=judge(kind, found, labels=labels, thresholds=used),
        detail=detail(kind, found, temperature=temperature, thresholds=used),
    )
