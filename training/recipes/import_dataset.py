"""Import a public layout as a canonical data set below the data sets' root."""

from pathlib import Path

from training.config.importing import ImportConfig
from training.data.importers.listing import ImportOptions
from training.data.importing import NAMED, import_dataset
from training.run import RunFolder
from training.stages import Stages


def import_as_dataset(
    config: ImportConfig, *, run: RunFolder, datasets_root: Path
) -> dict[str, object]:
    """Make the data set, whole or not at all; returns what was found in it."""
    report = import_dataset(
        format=config.format,
        sources=config.sources,
        destination=datasets_root / config.name,
        name=config.title or config.name,
        options=ImportOptions(
            **{name: getattr(config, name) for name in ImportOptions.model_fields}
        ),
        progress=Stages(run).progress,
    )
    return {
        "dataset": config.name,
        "digest": report.digest,
        "counts": {str(split): count for split, count in report.counts.items()},
        "findings": report.findings(at_most=NAMED),
    }
