"""A job's events as they come, as server-sent events: no thread waits, and nothing is told twice.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

from app.job_problems import REDIS_IS_AWAY
from app.jobs_state import Jobs
from worker.status import ENDED, JobStatus

MEDIA_TYPE = "text/event-stream"
_HEARTBEAT_S = 15.0
_LOOK_S = 1.0
"""Seconds of one wait for news, after which it is seen whether the service is about to stop."""

_ONE_BATCH = 500
_FIRST = "0-0"
_COMMENT = ": still here\n\n"
_RETRY = "retry: 1000\n\n"  # milliseconds after which a client that lost the stream comes again

Entries = list[tuple[str, dict[str, str]]]


@dataclass(slots=True)
class JobStream:
    """One client's way through one job's events."""

    jobs: Jobs
    job_id: str
    last: str = _FIRST
    """Id of the last event that was sent."""

    heartbeat_s: float = _HEARTBEAT_S
    """Seconds of silence after which a comment keeps the connection open."""

    async def parts(self) -> AsyncIterator[str]:
        """What to send, until the job has ended and all of its events are sent."""
        yield _RETRY
        spoke = time.monotonic()
        is_over = False
        while not self.jobs.leaving():
            try:
                is_over = is_over or await self._has_ended()
                entries = await self._news(wait=not is_over)
            except REDIS_IS_AWAY:
                entries, is_over = [], False
                await asyncio.sleep(_LOOK_S)
            for event_id, entry in entries:
                self.last = event_id
                yield _event(event_id, entry["data"])
            if entries:
                spoke = time.monotonic()
            elif is_over:
                return
            elif time.monotonic() - spoke >= self.heartbeat_s:
                spoke = time.monotonic()
                yield _COMMENT

    async def _has_ended(self) -> bool:
        """Asked before the events are read: those of its end are among them then."""
        key = self.jobs.store.keys.job(self.job_id)
        status = await cast(Any, self.jobs.waiting.hget(key, "status"))
        return status is not None and JobStatus(status) in ENDED

    async def _news(self, *, wait: bool) -> Entries:
        key = self.jobs.store.keys.events(self.job_id)
        block = round(1000 * _LOOK_S) if wait else None
        found = await self.jobs.waiting.xread({key: self.last}, count=_ONE_BATCH, block=block)
        streams = cast(list[tuple[str, Entries]], found)
        return streams[0][1] if streams else []


def _event(event_id: str, data: str) -> str:
    kind = json.loads(data).get("event", "message")
    return f"id: {event_id}\nevent: {kind}\ndata: {data}\n\n"
