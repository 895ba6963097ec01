"""What a job tells while it lives, in order and kept."""

import json
import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import redis

from worker.errors import JobError
from worker.keys import Keys
from worker.lua import Scripts

_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_LAST = (1 << 64) - 1
"""Redis reads no larger number, and looks for nothing behind the id of two such."""


class UnknownJob(JobError):
    """There is no job with this id."""


class BadCursor(JobError):
    """A cursor or an event's id that this service did not give."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One thing that was told; ids rise, `1700000000000-0`."""

    id: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, oldest first; `next` is where the following page starts, None at the end."""

    items: tuple[JobEvent, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Events:
    """The streams of all jobs."""

    client: redis.Redis
    keys: Keys
    scripts: Scripts

    def add(self, job_id: str, event: Mapping[str, Any], *, once: str | None = None) -> str:
        """Tell `event`; the same `once` is told one time only. Raises UnknownJob."""
        found = self.scripts.run("event", job_id, once or "", secrets.token_hex(8), encoded(event))
        if not found:
            raise UnknownJob(f"there is no job {job_id}")
        return str(found[0])

    def page(self, job_id: str, *, after: str | None, limit: int) -> EventPage:
        """Up to `limit` events after the one with the id `after`. Raises UnknownJob, BadCursor."""
        if after is not None and not _is_id(after):
            raise BadCursor(f"{after!r} is no event's id; expected one like 1700000000000-0")
        with self.client.pipeline() as pipe:
            pipe.exists(self.keys.job(job_id))
            pipe.xrange(
                self.keys.events(job_id), min=f"({after}" if after else "-", count=limit + 1
            )
            known, entries = cast(tuple[int, list[tuple[str, dict[str, str]]]], pipe.execute())
        if not known:
            raise UnknownJob(f"there is no job {job_id}")
        items = tuple(JobEvent(id, json.loads(entry["data"])) for id, entry in entries[:limit])
        return EventPage(items, items[-1].id if len(entries) > limit else None)


def _is_id(text: str) -> bool:
    found = _ID.fullmatch(text)
    return found is not None and all(int(number) < _LAST for number in found.groups())


def encoded(value: Mapping[str, Any]) -> str:
    """`value` as JSON; figures that JSON has no number for (a diverged loss) become null."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_nulled(value), separators=(",", ":"))


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that are numbers in JSON too."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _nulled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _nulled(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_nulled(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
