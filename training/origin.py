"""What a training run was made from, as its folder keeps it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from models.manifest import DatasetLineage
from training.config.downstream import DownstreamConfig
from training.config.pretraining import PretrainConfig
from training.config.recipes import RecipeConfig
from training.data.canonical import read_card
from training.run import RunFolder

_FILE = "origin.json"


class Origin(BaseModel):
    """The code that trained, and the data sets as they were when it began or last went on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code_version: str
    datasets: tuple[DatasetLineage, ...]

    @classmethod
    def read(cls, run: RunFolder) -> Self | None:
        """The origin of a run, if it was recorded."""
        try:
            return cls.model_validate_json((run.path / _FILE).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, run: RunFolder) -> None:
        """Keep it in the run's folder."""
        run.write(run.path / _FILE, self.model_dump_json(indent=2) + "\n")


def dataset_lineage(root: Path) -> DatasetLineage:
    """Name, digest and terms of the canonical data set below `root`; raises BadDataset."""
    card = read_card(root)
    return DatasetLineage(name=card.name, digest=card.digest, terms=card.terms)


def training_datasets(config: RecipeConfig) -> tuple[str, ...]:
    """Names of the data sets a configuration trains on; of one that trains nothing, none."""
    return tuple(dict.fromkeys(_names(config)))


def _names(config: RecipeConfig) -> Iterator[str]:
    if isinstance(config, DownstreamConfig):
        yield from (dataset.name for dataset in config.datasets)
    elif isinstance(config, PretrainConfig):
        for task in config.tasks:
            yield from task.datasets
