"""What goes over the wire for jobs: requests, lists, and what a job tells and leaves behind."""

from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field, PositiveFloat, PositiveInt

from app.schemas import Wire
from worker.jobs import JobKind, JobRecord, Labels
from worker.status import JobStatus


class JobRequest(Wire):
    """What is to be done."""

    kind: JobKind = Field(description="Not `import`: POST /v1/datasets makes those")
    config: dict[str, Any] = Field(
        description="The configuration of that kind; `preset` names a shipped one (`demo`, "
        "`open/stimuli`) that the other fields are laid over. `recipe` may be left out. Runs are "
        "named by the id of their job, models by `name`, `name@version` or `name@alias`",
        examples=[{"preset": "demo"}],
    )
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="For people", examples=["first try"]
    )
    labels: Labels = Field(default_factory=dict, description="For programs: up to 64 texts by name")
    gpus: PositiveInt = Field(
        1, description="GPUs that train together, of those one worker has", le=64
    )
    time_limit_s: PositiveFloat | None = Field(
        None,
        description="Seconds a start may take before the job fails; default: the operator's limit",
        allow_inf_nan=False,
    )


class JobQuery(Wire):
    """Which jobs to list."""

    status: JobStatus | None = Field(None, description="Only jobs of this state")
    kind: JobKind | None = Field(None, description="Only jobs of this kind")
    parent_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Only the steps of this pipeline"
    )
    limit: Annotated[int, Field(ge=1, le=200)] = Field(50, description="Jobs a page, up to 200")
    cursor: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="`next_cursor` of the page before"
    )


class JobList(Wire):
    """Jobs, newest first."""

    items: list[JobRecord]
    next_cursor: str | None


class EventQuery(Wire):
    """Which events to read."""

    after: Annotated[str, Field(max_length=64)] | None = Field(
        None,
        description="Id of the last event already seen; of a stream `Last-Event-ID` says it too",
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = Field(
        100, description="Events a page, up to 1000; a stream has no pages"
    )


class Event(Wire):
    """One thing that a job told; further fields are the event's own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str = Field(examples=["1764061200000-0"])
    event: str = Field(description="What kind of event: `status`, `progress`, `epoch`, ...")


class EventList(Wire):
    """Events, oldest first."""

    items: list[Event]
    next_cursor: str | None = Field(description="`after` of the next page; null at the end for now")


class MetricPoint(Wire):
    """The figures of one part of the data at one moment of a training."""

    epoch: int
    step: int
    part: str = Field(examples=["val"])
    metrics: dict[str, float | None] = Field(description="Null: not a number, as of a lost cause")


class MetricList(Wire):
    """A training's figures, oldest first; all on one page."""

    items: list[MetricPoint]
    next_cursor: None = None


class Artifact(Wire):
    """A file that a job made."""

    path: str = Field(examples=["checkpoints/best.safetensors"])
    bytes: int
    modified_at: AwareDatetime
    media_type: str


class ArtifactList(Wire):
    """A job's files, sorted by path; all on one page."""

    items: list[Artifact]
    next_cursor: None = None


class Preset(Wire):
    """A configuration that comes with the code."""

    name: str = Field(examples=["demo/pipeline"])
    kind: JobKind
    config: dict[str, Any] = Field(description="As `POST /v1/jobs` takes it, defaults filled in")


class PresetList(Wire):
    """All of them, sorted by name; on one page."""

    items: list[Preset]
    next_cursor: None = None
