"""The metrics file of a cell: all that a reader needs to check a figure, or to make it anew."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from models.files import replace_text
from models.labels import LabelKind, LabelSet
from models.manifest import DatasetLineage, Detail
from training.config.fields import Config
from training.errors import TrainingError
from training.evidence.experiment import Cell
from training.evidence.plan import Method

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BadResult(TrainingError):
    """A metrics file cannot be read, or is of another configuration than the plan now has."""


class Kept(Config):
    """What is kept as a JSON file."""

    def write(self, file: Path) -> None:
        """Keep it in one step."""
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(file, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, file: Path) -> Self:
        """What `write` kept; raises BadResult."""
        try:
            return cls.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise BadResult(f"{file} is no file of a {cls.__name__}: {error}") from error


class Tried(Config):
    """A candidate of the grid, and its score on validation data."""

    name: str
    score: float


class Epoch(Config):
    """Losses and validation metrics of one epoch."""

    epoch: int
    train: dict[str, float] = Field(default_factory=dict)
    val: dict[str, float] = Field(default_factory=dict)


class Score(Config):
    """Metrics on the test images, and what lies behind them."""

    images: int
    temperature: float
    thresholds: tuple[float, ...] | None
    metrics: dict[str, float]
    detail: Detail


class Pretrained(Kept):
    """A pre-training that has ended."""

    schema_version: Literal[1] = 1
    name: str
    code_version: str
    datasets: tuple[DatasetLineage, ...]
    config: dict[str, Any]
    best_epoch: int
    epochs: tuple[Epoch, ...]
    weights_sha256: Sha256


class Result(Kept):
    """One cell, scored."""

    schema_version: Literal[1] = 1
    row: str
    data: str
    fold: int | None
    seed: int
    method: Method
    kind: LabelKind
    labels: LabelSet
    protocol: str
    code_version: str
    machine: str
    datasets: tuple[DatasetLineage, ...]
    chosen: str = Field(description="The candidate with the best score on validation data")
    tried: tuple[Tried, ...] = Field(description="Where another seed's cell chose: that cell's")
    config: dict[str, Any] = Field(description="Configuration of the chosen candidate's run")
    best_epoch: int | None = None
    epochs: tuple[Epoch, ...] = ()
    score: Score
    starts: dict[str, Sha256] = Field(description="Weights that its networks started from")
    predictions_sha256: Sha256

    @property
    def cell(self) -> Cell:
        """The cell it is of."""
        return Cell(self.row, self.data, self.fold, self.seed)
