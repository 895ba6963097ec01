"""Jobs in lists: by status, kind and parent, newest first, page by page."""

import json
from dataclasses import dataclass
from typing import cast

import redis

from worker import rows
from worker.events import BadCursor
from worker.jobs import JobKind, JobRecord, Queue, is_id
from worker.keys import Keys
from worker.lua import Scripts
from worker.status import ENDED, JobStatus

_ALL = 10_000


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first; `next_cursor` starts the following page, None at the end."""

    items: tuple[JobRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class StoredPage:
    """The same with each record as it is stored, by its id."""

    items: tuple[tuple[str, rows.Row], ...]
    next_cursor: str | None

    def read(self) -> JobPage:
        """With the records themselves."""
        return JobPage(tuple(rows.record(*item) for item in self.items), self.next_cursor)


@dataclass(frozen=True, slots=True)
class Listing:
    """Finds jobs."""

    client: redis.Redis
    keys: Keys
    scripts: Scripts

    def page(
        self,
        *,
        status: JobStatus | None,
        kind: JobKind | None,
        parent_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> StoredPage:
        """Up to `limit` jobs older than the one `cursor` names. Raises BadCursor."""
        if cursor is not None and not is_id(cursor):
            raise BadCursor(f"{cursor!r} is no cursor; take next_cursor of the page before")
        if parent_id:
            key = self.keys.children(parent_id)
        else:
            key = self.keys.jobs(status=status, kind=kind)
        found = self._selected(key, cursor or "", limit + 1, status or "", kind or "")
        items = found[:limit]
        return StoredPage(items, items[-1][0] if len(found) > limit else None)

    def counts(self) -> dict[JobStatus, int]:
        """How many jobs there are of each status, zeros included, all of one moment."""
        with self.client.pipeline() as pipe:
            for status in JobStatus:
                pipe.zcard(self.keys.jobs(status=status))
            return dict(zip(JobStatus, cast(list[int], pipe.execute()), strict=True))

    def active(self, kind: JobKind | None) -> tuple[str, ...]:
        """Ids of jobs that have not ended, oldest first."""
        with self.client.pipeline() as pipe:
            for status in sorted(set(JobStatus) - ENDED):
                pipe.zrange(self.keys.jobs(status=status, kind=kind), 0, -1)
            found = cast(list[list[str]], pipe.execute())
        return tuple(sorted(job_id for ids in found for job_id in ids))

    def children(self, parent_id: str) -> tuple[JobRecord, ...]:
        """The steps of a pipeline, oldest first, all of one moment."""
        found = self._selected(self.keys.children(parent_id), "", _ALL, "", "")
        return tuple(rows.record(*item) for item in reversed(found))

    def ready(self, queue: Queue, limit: int) -> tuple[str, ...]:
        """Ids of up to `limit` jobs that could start now, the longest waiting first."""
        return tuple(self.scripts.run("ready", queue.value, limit))

    def hopeless(self, queue: Queue, limit: int) -> tuple[tuple[str, str], ...]:
        """Ids of up to `limit` queued jobs, each with one it waits for that will not succeed."""
        found = self.scripts.run("hopeless", queue.value, limit)
        return tuple((job_id, awaited_id) for job_id, awaited_id in found)

    def dependents(self, job_id: str, error_type: str) -> tuple[str, ...]:
        """Ids of the failed jobs that wait for this one and failed with such an error."""
        return tuple(self.scripts.run("dependents", job_id, error_type))

    def _selected(self, *arguments: str | int) -> tuple[tuple[str, rows.Row], ...]:
        (text,) = self.scripts.run("select", *arguments)
        return tuple((job_id, rows.row_of_flat(flat)) for job_id, flat in json.loads(text))
