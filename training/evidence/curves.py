"""Learning curves out of a run folder."""

import json
from typing import NamedTuple

from training.evidence.results import Epoch
from training.run import RunFolder


class Epochs(NamedTuple):
    """Every epoch of a run, and the number of the one whose weights were kept."""

    all: tuple[Epoch, ...]
    best: int


def epochs_of(run: RunFolder) -> Epochs:
    """The epochs of a run that has ended."""
    parts: dict[int, dict[str, dict[str, float]]] = {}
    for line in run.metrics_file.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        parts.setdefault(record["epoch"], {})[record["part"]] = record["metrics"]
    found = tuple(Epoch.model_validate({"epoch": n, **part}) for n, part in sorted(parts.items()))
    return Epochs(found, json.loads(run.results_file.read_bytes())["best_epoch"])
