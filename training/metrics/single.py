"""How well one label is told: accuracy, F1, polarity and the confusion matrix."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels import LabelSet, Polarity
from training.metrics.checks import (
    Float64s,
    Floats,
    Integers,
    InvalidMetricInput,
    ShapeMismatch,
    check_class_ids,
    check_probabilities,
)


class PolarityUnknown(InvalidMetricInput):
    """A label set that states no polarity."""


def single_metrics(
    probabilities: Floats, targets: Integers, *, labels: LabelSet
) -> dict[str, float]:
    """Every metric of this module by name, for probabilities N,C and class ids N."""
    if len(labels) != np.shape(probabilities)[-1]:
        raise ShapeMismatch(
            f"scores have shape {np.shape(probabilities)} for {len(labels)} labels;"
            " give the label set that the model was trained with"
        )
    metrics = {
        "top1": top1(probabilities, targets),
        "macro_f1": macro_f1(probabilities, targets),
    }
    if labels.polarity is not None:
        metrics["polarity_accuracy"] = polarity_accuracy(probabilities, targets, labels=labels)
    return metrics


def top1(probabilities: Floats, targets: Integers) -> float:
    """Share of samples whose most probable class is the target; in [0, 1], higher is better.

    (1/N) sum_i [argmax_c p_ic = t_i]. Among equally probable classes the first is the prediction.
    """
    predicted, truth = _classes(probabilities, targets)
    return float(np.mean(predicted == truth))


def polarity_accuracy(probabilities: Floats, targets: Integers, *, labels: LabelSet) -> float:
    """Share of samples whose top-1 class has the target's polarity; in [0, 1], higher is better.

    The two-class accuracy of the field: the top-1 class and the target class are each mapped to
    their polarity; probabilities are not summed. Samples with a
    neutral target are left out; a neutral prediction for any other is wrong. 0 if none remains.
    """
    if labels.polarity is None:
        raise PolarityUnknown(
            f"the labels {', '.join(labels.names)} have no polarity; give a label set that has"
        )
    polarity = np.array([each.value for each in labels.polarity])  # C
    predicted, truth = _classes(probabilities, targets)
    polar = polarity[truth] != Polarity.NEUTRAL.value
    agreed = polarity[predicted[polar]] == polarity[truth[polar]]
    return float(agreed.mean()) if agreed.size else 0.0


def confusion_matrix(probabilities: Floats, targets: Integers) -> NDArray[np.int64]:
    """Counts C,C of samples by target class (row) and top-1 class (column)."""
    predicted, truth = _classes(probabilities, targets)
    classes = np.shape(probabilities)[1]
    counts = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def per_class_recall(confusion: NDArray[np.int64]) -> Float64s:
    """Share of each class's samples that are found, C, from a confusion matrix C,C.

    TP / (TP + FN), in [0, 1], higher is better; 0 for a class that is no sample's target.
    """
    return _ratio(np.diag(confusion), confusion.sum(axis=1))


def per_class_precision(confusion: NDArray[np.int64]) -> Float64s:
    """Share of the samples told as each class that are of it, C, from a confusion matrix C,C.

    TP / (TP + FP), in [0, 1], higher is better; 0 for a class that is never told.
    """
    return _ratio(np.diag(confusion), confusion.sum(axis=0))


def per_class_f1(confusion: NDArray[np.int64]) -> Float64s:
    """Harmonic mean of each class's precision and recall, C, from a confusion matrix C,C.

    2 TP / (2 TP + FP + FN), in [0, 1], higher is better; 0 for a class that does not occur.
    """
    return _ratio(2 * np.diag(confusion), confusion.sum(axis=0) + confusion.sum(axis=1))


def macro_f1(probabilities: Floats, targets: Integers) -> float:
    """Mean F1 over the classes that are a target or a prediction; in [0, 1], higher is better.

    Opitz and Burst 2019, "Macro F1 and Macro F1": the mean of F1s, not the F1 of means. A class
    that is neither the target nor the prediction of any sample says nothing and is left out.
    """
    confusion = confusion_matrix(probabilities, targets)
    occurs = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
    return float(per_class_f1(confusion)[occurs].mean())


def _classes(probabilities: Floats, targets: Integers) -> tuple[NDArray[np.intp], Integers]:
    scores = check_probabilities(probabilities)
    return scores.argmax(axis=1), check_class_ids(targets, scores)


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> Float64s:
    return np.asarray(numerator / np.maximum(denominator, 1), dtype=np.float64)
