"""Import a public layout as a canonical data set below the data sets' root."""

import json
from pathlib import Path

from training.config.importing import ImportConfig
from training.data.canonical import read_card
from training.data.importers.listing import ImportOptions
from training.data.importing import NAMED, ImportReport, import_dataset
from training.errors import TrainingError
from training.run import RunFolder
from training.stages import Stages

Results = dict[str, object]

_FILE = ".import.json"
"""What an import is about to end with, noted in its run before the data set appears."""


def import_as_dataset(config: ImportConfig, *, run: RunFolder, datasets_root: Path) -> Results:
    """Make the data set, whole or not at all; returns what was found in it.

    Started again after it was killed it finds the data set that it has made.
    """
    destination = datasets_root / config.name
    made = _made(run, destination)
    if made is not None:
        return made
    report = import_dataset(
        format=config.format,
        sources=config.sources,
        destination=destination,
        name=config.title or config.name,
        options=ImportOptions(
            **{name: getattr(config, name) for name in ImportOptions.model_fields}
        ),
        progress=Stages(run).progress,
        note=lambda report: run.write(
            run.path / _FILE, json.dumps(_results(config, report)) + "\n"
        ),
    )
    return _results(config, report)


def _made(run: RunFolder, destination: Path) -> Results | None:
    """What this run noted, if that is the data set at the destination."""
    try:
        noted: Results = json.loads((run.path / _FILE).read_bytes())
        card = read_card(destination)
    except (FileNotFoundError, TrainingError):
        return None
    return noted if card.digest == noted["digest"] else None


def _results(config: ImportConfig, report: ImportReport) -> Results:
    return {
        "dataset": config.name,
        "digest": report.digest,
        "counts": {str(split): count for split, count in report.counts.items()},
        "findings": report.findings(at_most=NAMED),
    }
