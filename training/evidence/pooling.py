"""The predictions of a row's cells, put together: folds one after the other, seeds side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from training.evidence.comparison import NotPaired, Pooled, Scores
from training.evidence.experiment import Experiment
from training.evidence.predictions import BadPredictions, ImagePredictions
from training.evidence.results import Result


class OfPart(Protocol):
    """What is of one fold, where there are folds, and one seed."""

    @property
    def fold(self) -> int | None: ...

    @property
    def seed(self) -> int: ...


P = TypeVar("P", bound=OfPart)


def part(one: OfPart) -> tuple[int, int]:
    """Fold and seed; what has no folds is of fold -1."""
    return (-1 if one.fold is None else one.fold, one.seed)


def whole(found: Sequence[P]) -> list[P]:
    """Those of the seeds that have the most folds, all of the same folds."""
    folds: dict[int, set[int]] = {}
    for result in found:
        fold, seed = part(result)
        folds.setdefault(seed, set()).add(fold)
    most = folds[max(folds, key=lambda seed: (len(folds[seed]), -seed))]
    kept = [r for r in found if folds[r.seed] >= most and part(r)[0] in most]
    return sorted(kept, key=lambda result: (result.seed, part(result)[0]))


def pooled_predictions(experiment: Experiment, results: Sequence[Result]) -> Pooled:
    """Predictions of all folds one after the other, by seed; raises NotPaired, BadPredictions."""
    seeds: dict[int, list[ImagePredictions]] = {}
    scores: dict[int, list[Scores]] = {}
    for result in results:
        found = _predictions(experiment.predictions_file(result.cell), result)
        judged = found.judged(result.kind, temperature=result.score.temperature)
        seeds.setdefault(result.seed, []).append(found)
        scores.setdefault(result.seed, []).append(judged.scores)
    files = {seed: tuple(f for fold in folds for f in fold.files) for seed, folds in seeds.items()}
    first = results[0].seed
    unlike = [seed for seed in files if files[seed] != files[first]]
    if unlike:
        raise NotPaired(f"seeds {first} and {unlike[0]} of {results[0].row} judged other images")
    return Pooled(
        files[first],
        tuple(np.concatenate(folds) for folds in scores.values()),
        np.concatenate([fold.targets for fold in seeds[first]]),
    )


def _predictions(file: Path, result: Result) -> ImagePredictions:
    found = ImagePredictions.read(file)
    if found.digest() != result.predictions_sha256:
        raise BadPredictions(
            f"{file} has the digest {found.digest()}, its metrics are of "
            f"{result.predictions_sha256}: delete both and run the cell again"
        )
    return found
