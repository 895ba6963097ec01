"""What the service says of jobs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sentiscope.service.value import Value

ENDED = frozenset({"succeeded", "failed", "cancelled"})
"""States in which a job stays, unless it is retried."""


class Progress(Value):
    """How far a job is."""

    stage: str | None = None
    epoch: int | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    fraction: float | None = None
    images_per_second: float | None = None
    eta_seconds: float | None = None


class Failure(Value):
    """Why a job failed."""

    type: str
    message: str


class Result(Value):
    """What a job ended with."""

    model: str | None = None
    version: str | None = None
    promoted: bool | None = None
    reason: str | None = None


class Job(Value):
    """A job's record."""

    id: str
    kind: str
    name: str | None = None
    status: str
    config: Mapping[str, Any] = {}
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    parent_id: str | None = None
    step: str | None = None
    progress: Progress = Progress()
    metrics: Mapping[str, float] = {}
    result: Result | None = None
    error: Failure | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.status in ENDED

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.name or self.step or self.kind


class Event(Value):
    """One thing that a job told; `id` says where a stream goes on."""

    id: str
    kind: str
    data: Mapping[str, Any]


class Artifact(Value):
    """A file that a job made."""

    path: str
    bytes: int
    media_type: str
