"""What a bundle's graph says of every image of a loader, in ONNX Runtime, as serving runs it."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from models.labels import LabelKind
from models.runtime import Session
from training.data.labelled import Batch
from training.evaluation import Collector, Predictions

Scores = dict[LabelKind, NDArray[np.float64]]


def graph_scores(session: Session, batches: Iterable[NDArray[np.float32]]) -> Iterator[Scores]:
    """Probabilities B,K by kind for each batch of pre-processed images."""
    heads = session.manifest.outputs
    names = [head.scores_name for head in heads]
    for images in batches:
        found = session.run(images, names)
        yield {head.kind: found[head.scores_name].astype(np.float64) for head in heads}


def bundle_predictions(session: Session, batches: Iterable[Batch]) -> dict[LabelKind, Predictions]:
    """Probabilities and targets by kind, for the samples that have the kind."""
    collector = Collector(head.kind for head in session.manifest.outputs)
    for batch in batches:
        for scores in graph_scores(session, [batch.images.numpy()]):
            collector.add(batch, scores)
    return collector.predictions()
