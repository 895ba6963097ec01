"""What the service says of jobs, as its clients see it: fields they do not know are passed over."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

ENDED = frozenset({"succeeded", "failed", "cancelled"})
"""States in which a job stays, unless it is retried."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Progress(_Value):
    """How far a job is."""

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


class Result(_Value):
    """What a job ended with."""

    model: str | None = None
    version: str | None = None
    promoted: bool | None = None
    reason: str | None = None


class Job(_Value):
    """A job's record."""

    id: str
    kind: str
    name: str | None = None
    status: str
    created_at: datetime
    parent_id: str | None = None
    step: str | None = None
    progress: Progress = Progress()
    metrics: dict[str, float] = {}
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


class Event(_Value):
    """One thing that a job told; `id` says where a stream goes on."""

    id: str
    kind: str
    data: dict[str, Any]


class Artifact(_Value):
    """A file that a job made."""

    path: str
    bytes: int
    media_type: str
