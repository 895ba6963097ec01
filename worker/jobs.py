"""What a job is: what was asked for, and the record of what became of it. Data alone."""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, TypeAdapter

from training.config.importing import ImportConfig
from training.config.pipeline import PipelineConfig
from training.config.recipes import RecipeConfig
from worker.status import JobStatus

_ID = re.compile(r"[0-9a-f]{26}")


class JobKind(StrEnum):
    """What a job does; the recipe of its configuration has the same name."""

    PRETRAIN = "pretrain"
    AMALGAMATE = "amalgamate"
    FINETUNE = "finetune"
    EVALUATE = "evaluate"
    EXPORT = "export"
    IMPORT = "import"
    PIPELINE = "pipeline"


class Queue(StrEnum):
    """Where a job waits for a worker."""

    GPU = "gpu"
    CPU = "cpu"


QUEUES: Mapping[JobKind, Queue | None] = {
    JobKind.PRETRAIN: Queue.GPU,
    JobKind.AMALGAMATE: Queue.GPU,
    JobKind.FINETUNE: Queue.GPU,
    JobKind.EVALUATE: Queue.CPU,
    JobKind.EXPORT: Queue.CPU,
    JobKind.IMPORT: Queue.CPU,
    JobKind.PIPELINE: None,  # it holds no worker: its steps do
}

JobConfig = RecipeConfig | PipelineConfig
JOB_CONFIG: TypeAdapter[JobConfig] = TypeAdapter(
    Annotated[JobConfig, Field(discriminator="recipe")]
)
Labels = dict[
    Annotated[str, Field(min_length=1, max_length=63)], Annotated[str, Field(max_length=255)]
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobSpec(_Value):
    """What was asked for, its configuration settled and checked in full."""

    kind: JobKind
    config: Annotated[JobConfig, Field(discriminator="recipe")]
    name: str | None = None
    labels: Labels = {}
    gpus: PositiveInt = 1
    """GPUs that train together (through torchrun), of those its worker sees."""
    time_limit_s: PositiveFloat | None = None


class Progress(_Value):
    """How far the work is; `eta_seconds` counts from when it was told."""

    stage: str | None = None
    epoch: int | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    fraction: float | None = None
    images_per_second: float | None = None
    eta_seconds: float | None = None


class Failure(_Value):
    """Why a job failed."""

    type: str
    message: str


class JobResult(_Value):
    """What a job ended with."""

    model: str | None = None
    version: str | None = None
    promoted: bool | None = None
    reason: str | None = None
    """Why a version was promoted or not."""
    summary: dict[str, Any] = {}
    """What the recipe itself says, its results.json."""


class JobRecord(_Value):
    """Where a job stands; `revision` counts its changes, reports of progress not among them."""

    id: str
    kind: JobKind
    name: str | None = None
    labels: Labels = {}
    status: JobStatus = JobStatus.QUEUED
    config: Annotated[JobConfig, Field(discriminator="recipe")]
    gpus: int = 1
    time_limit_s: float | None = None
    created_at: datetime
    queued_at: datetime
    """When it last joined the queue."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    parent_id: str | None = None
    step: str | None = None
    """Of a pipeline's child, which step it is."""
    depends_on: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    """Names of the data sets it reads: they cannot be deleted before it ends."""
    worker: str | None = None
    progress: Progress = Progress()
    metrics: dict[str, float] = {}
    result: JobResult | None = None
    error: Failure | None = None
    revision: int = 0

    @classmethod
    def of(cls, spec: JobSpec, *, datasets: tuple[str, ...] = (), **placed: Any) -> Self:
        """The record of a new job; `placed`: id, parent_id, step, depends_on."""
        now = datetime.now(UTC)
        fields: dict[str, Any] = {"id": new_id(now), "created_at": now, "queued_at": now}
        asked = {name: getattr(spec, name) for name in JobSpec.model_fields}
        return cls(**(fields | asked | {"datasets": datasets} | placed))

    def evolve(self, **changes: Any) -> Self:
        """A copy with `changes`, checked."""
        return type(self).model_validate({**dict(self), **changes})

    @property
    def queue(self) -> Queue | None:
        """Where it waits; a pipeline nowhere."""
        return QUEUES[self.kind]


def new_id(now: datetime | None = None) -> str:
    """An id of 26 hexadecimal digits; ids sort by the time they were made."""
    milliseconds = int((now or datetime.now(UTC)).timestamp() * 1000)
    return f"{milliseconds:012x}{secrets.token_hex(7)}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of a job's id."""
    return _ID.fullmatch(text) is not None


def dataset_names(config: JobConfig) -> tuple[str, ...]:
    """Names of the data sets a configuration reads, sorted."""
    return tuple(sorted(set(_names(config))))


def _names(part: object) -> list[str]:
    if isinstance(part, ImportConfig):
        return []
    found: list[str] = []
    if isinstance(part, BaseModel):
        for field, value in part:
            if field == "datasets":
                found += [entry if isinstance(entry, str) else entry.name for entry in value]
            else:
                found += _names(value)
    elif isinstance(part, tuple):
        for entry in part:
            found += _names(entry)
    return found
