"""What of an experiment is committed, and how another machine takes it up.

Metrics files go as they are; of the predictions the logits alone, as the images' names and labels
belong to the data sets.
"""

import shutil
from pathlib import Path

import numpy as np

from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.recipes import RECIPE_CONFIG
from training.data.canonical import Split
from training.data.labelled import labelled_samples, open_datasets, stacked_targets
from training.evidence.experiment import Cell, Experiment, Filter
from training.evidence.predictions import BadPredictions, ImagePredictions
from training.evidence.results import Result
from training.evidence.scoring import file_names

_LOGITS = "logits"


def keep(experiment: Experiment, folder: Path) -> None:
    """Copy metrics files and logits to `folder`; raises BadPredictions."""
    shutil.copytree(experiment.folder / "results", folder, dirs_exist_ok=True)
    predictions = experiment.folder / "predictions"
    for file in predictions.rglob("*.npz"):
        kept = (folder / _LOGITS / file.relative_to(predictions)).with_suffix(".npy")
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, ImagePredictions.read(file).logits)


def restore(experiment: Experiment, folder: Path) -> int:
    """Put cells that are kept in `folder`, and not here, where `run` finds them; returns how many.

    Names and targets are read from the data sets; raises BadPredictions where those are others than
    the cell was judged on.
    """
    cells = [
        cell
        for cell in experiment.cells(Filter())
        if _logits_file(folder, cell).exists() and not experiment.result_file(cell).exists()
    ]
    for cell in cells:
        kept = folder / experiment.result_file(cell).relative_to(experiment.folder / "results")
        result = Result.read(kept)
        _predictions(experiment, result, folder).write(experiment.predictions_file(cell))
        result.write(experiment.result_file(cell))  # last, as when it is run
    return len(cells)


def _logits_file(folder: Path, cell: Cell) -> Path:
    return folder / _LOGITS / cell.path.with_suffix(".npy")


def _predictions(experiment: Experiment, result: Result, folder: Path) -> ImagePredictions:
    config = RECIPE_CONFIG.validate_python(result.config)
    assert isinstance(config, FinetuneConfig | AmalgamateConfig)
    datasets = open_datasets(config.datasets, experiment.data(result.cell).root)
    samples = labelled_samples(datasets, Split.TEST)
    targets = [each.targets[result.kind] for each in samples if result.kind in each.targets]
    found = ImagePredictions(
        file_names(samples, result.kind),
        np.load(_logits_file(folder, result.cell)),
        stacked_targets(result.kind, targets),
    )
    if found.digest() != result.predictions_sha256:
        here = ", ".join(str(dataset.root) for _, dataset in datasets)
        raise BadPredictions(
            f"{result.cell.path} was judged on other images or labels than {here} holds: its "
            "logits cannot be put beside them; make the data set as docs/protocol.md says, or run "
            "the cell again"
        )
    return found
