"""Where jobs are kept: Redis, each change one indivisible step, nothing acknowledged ever lost."""

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self, cast

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from worker import rows
from worker.deliveries import Deliveries
from worker.errors import JobError, RedisNotSet
from worker.events import BadCursor, EventPage, Events, JobEvent, UnknownJob
from worker.holds import DatasetInUse, DatasetUnavailable, Holds, unavailable
from worker.jobs import Failure, JobKind, JobRecord, Progress, Queue
from worker.keys import Keys
from worker.leases import Lease, LeaseLost, Leases
from worker.listing import JobPage, Listing, StoredPage
from worker.lua import Scripts
from worker.settings import JobSettings
from worker.status import ENDED, HELD, ForbiddenMove, JobStatus, check_move

__all__ = [
    "BadCursor",
    "DatasetInUse",
    "DatasetUnavailable",
    "EventPage",
    "IdempotencyKey",
    "JobEvent",
    "JobPage",
    "JobStore",
    "KeyReused",
    "Lease",
    "LeaseLost",
    "UnknownJob",
]

_DAY_S = 24 * 60 * 60
_EXPIRED = "expired"
_RETRIES, _FIRST_PAUSE_S, _LONGEST_PAUSE_S = 3, 0.05, 0.2
"""Of a command without an answer: every script may be run twice."""


class KeyReused(JobError):
    """An idempotency key was given before, with something else to do."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's name for one submission, and the digest of what it submitted."""

    value: str
    digest: str
    kept_s: int = _DAY_S

    def reused(self, job_id: str) -> KeyReused:
        """The error that says so."""
        return KeyReused(
            f"idempotency key {self.value!r} made job {job_id} of another request; "
            "take a new key for a new job"
        )


class JobStore:
    """All jobs of one installation; `client` must decode responses. Threads may share it.

    Every method raises redis.exceptions.RedisError while Redis is away.
    """

    def __init__(self, client: redis.Redis, *, prefix: str, webhooks: bool = False) -> None:
        if not client.get_encoder().decode_responses:
            raise ValueError("the client of a JobStore must be made with decode_responses=True")
        self.client = client
        self.keys = Keys(prefix)
        self._notify = "1" if webhooks else ""
        self._scripts = Scripts(client, prefix)
        self.deliveries = Deliveries(self._scripts)
        self._events = Events(client, self.keys, self._scripts)
        self._holds = Holds(self._scripts)
        self._leases = Leases(self._scripts)
        self._listing = Listing(client, self.keys, self._scripts)

    @classmethod
    def open(cls, url: str, *, prefix: str, webhooks: bool = False) -> Self:
        """The store in the Redis at `url`; connects when it is first used."""
        again = Retry(ExponentialBackoff(cap=_LONGEST_PAUSE_S, base=_FIRST_PAUSE_S), _RETRIES)
        client = redis.Redis.from_url(url, decode_responses=True, retry=again)
        return cls(client, prefix=prefix, webhooks=webhooks)

    @classmethod
    def connected(cls, settings: JobSettings) -> Self:
        """The store that the settings name; raises RedisNotSet."""
        if settings.redis_url is None:
            raise RedisNotSet
        told = settings.webhook_url is not None
        return cls.open(settings.redis_url, prefix=settings.redis_prefix, webhooks=told)

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def create(
        self, records: Sequence[JobRecord], *, key: IdempotencyKey | None = None
    ) -> JobRecord:
        """Store all of `records` or none; the first as stored, or what `key` made before.

        Raises KeyReused and DatasetUnavailable.
        """
        answer, found = self._scripts.run(
            "create",
            key.value if key else "",
            key.digest if key else "",
            key.kept_s * 1000 if key else 0,
            json.dumps([{"id": record.id, "row": rows.row(record)} for record in records]),
        )
        if answer == "reused" and key:
            raise key.reused(found)
        if answer == "unavailable":
            raise unavailable(found)
        return self.get(found)

    def knows(self, key: str) -> bool:
        """Whether an idempotency key has made anything."""
        return bool(self.client.exists(self.keys.submission(key)))

    def recall(self, key: IdempotencyKey) -> JobRecord | None:
        """What `key` made before, if anything. Raises KeyReused."""
        found = self.client.hmget(self.keys.submission(key.value), "digest", "job")
        digest, job_id = cast(list[str | None], found)
        if job_id is None:
            return None
        if digest != key.digest:
            raise key.reused(job_id)
        return self.get(job_id)

    def get(self, job_id: str) -> JobRecord:
        """The record of a job. Raises UnknownJob and UnreadableRecord."""
        return rows.record(job_id, self._row(job_id))

    def document(self, job_id: str) -> rows.Document:
        """The record of a job as JSON has it, checked when it was stored. Raises UnknownJob."""
        return rows.document(job_id, self._row(job_id))

    def list(
        self,
        *,
        status: JobStatus | None = None,
        kind: JobKind | None = None,
        parent_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Up to `limit` jobs, newest first, from after `cursor` on. Raises BadCursor."""
        return self.list_stored(
            status=status, kind=kind, parent_id=parent_id, limit=limit, cursor=cursor
        ).read()

    def list_stored(
        self,
        *,
        status: JobStatus | None,
        kind: JobKind | None,
        parent_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> StoredPage:
        """The same with each record as it is stored, which was checked then."""
        return self._listing.page(
            status=status, kind=kind, parent_id=parent_id, limit=limit, cursor=cursor
        )

    def counts(self) -> dict[JobStatus, int]:
        """How many jobs there are of each status."""
        return self._listing.counts()

    def active(self, kind: JobKind | None = None) -> tuple[str, ...]:
        """Ids of the jobs that have not ended, oldest first."""
        return self._listing.active(kind)

    def children(self, parent_id: str) -> tuple[JobRecord, ...]:
        """The steps of a pipeline, in the order of their ids."""
        return self._listing.children(parent_id)

    def children_ids(self, parent_id: str) -> tuple[str, ...]:
        """Ids of the steps of a pipeline; of another job none."""
        return tuple(cast(list[str], self.client.zrange(self.keys.children(parent_id), 0, -1)))

    def ready(self, queue: Queue, limit: int) -> tuple[str, ...]:
        """Ids of up to `limit` jobs that could start now, the longest waiting first."""
        return self._listing.ready(queue, limit)

    def hopeless(self, queue: Queue, limit: int) -> tuple[tuple[str, str], ...]:
        """Ids of up to `limit` queued jobs, each with one it waits for that will not succeed.

        A pipeline's steps that wait for each other are not among them until it has ended: it
        follows them itself.
        """
        return self._listing.hopeless(queue, limit)

    def dependents(self, job_id: str, error_type: str) -> tuple[str, ...]:
        """Ids of the failed jobs that wait for this one and failed with such an error."""
        return self._listing.dependents(job_id, error_type)

    def move(
        self, job_id: str, to: JobStatus, *, lease: Lease | None = None, **changes: Any
    ) -> JobRecord:
        """Bring a job into the state `to` and change the named fields; the record after it.

        Raises UnknownJob, ForbiddenMove, DatasetUnavailable and, where a lease is given that the
        job is no longer held by, LeaseLost.
        """
        guard = str(lease.token) if lease else ""
        while True:
            stored = self._row(job_id)
            if lease and stored.get("token") != guard:
                raise lease.lost()
            moved = self._try_move(rows.record(job_id, stored), to, guard, changes)
            if moved:
                return moved

    def move_from(self, current: JobRecord, to: JobStatus, **changes: Any) -> JobRecord | None:
        """As `move`, but only from the very record `current`; None where it was changed since."""
        return self._try_move(current, to, "", changes)

    def move_unread(
        self,
        seen: rows.Document,
        to: JobStatus,
        *,
        lease: Lease | None = None,
        error: Failure | None = None,
    ) -> bool:
        """As `move_from`, for a record that cannot be read; whether it was still as it was `seen`.

        A job that a worker holds is ended with its `lease` alone, or once that has run out.
        """
        check_move(JobStatus(seen["status"]), to)
        guard = _EXPIRED if to in ENDED and JobStatus(seen["status"]) in HELD else ""
        found = self._try_move_row(
            (seen["id"], seen["revision"], str(lease.token) if lease else guard),
            to,
            {"error": error.model_dump_json()} if error else {},
            (),
        )
        return found is not None

    def revive(self, parent_id: str, *, step_id: str | None = None) -> tuple[str, ...]:
        """Queue an ended pipeline with its steps that did not succeed; the steps that are queued.

        Or the step named alone, where another one failed. Raises ForbiddenMove where either of
        these has not ended, or succeeded, and DatasetUnavailable; then nothing is changed.
        """
        nonce = secrets.token_hex(8)
        answer, *found = self._scripts.run("revive", parent_id, step_id or "", nonce)
        if answer == "forbidden":
            raise ForbiddenMove(f"job {found[0]} is {found[1]} by now and cannot be retried")
        if answer == "unavailable":
            raise unavailable(found[0])
        return tuple(found[0])

    def recover(self, job_id: str, to: JobStatus, **changes: Any) -> JobRecord | None:
        """As `move`, for a job whose lease has run out; None where it was renewed or is changed."""
        current = self.get(job_id)
        try:
            return self._try_move(current, to, _EXPIRED, changes)
        except LeaseLost:
            return None

    def claim(self, job_id: str, *, worker: str, lease_s: float, max_attempts: int) -> Lease | None:
        """Start a queued job whose dependencies succeeded: one more attempt, and its lease.

        None where it is not queued, has to wait, had all its attempts, or is unknown.
        """
        return self._leases.claim(job_id, worker=worker, lease_s=lease_s, max_attempts=max_attempts)

    def renew(self, lease: Lease, lease_s: float) -> JobStatus:
        """Hold the job for `lease_s` seconds from now; its status. Raises LeaseLost."""
        return self._leases.renew(lease, lease_s)

    def outrun(self, lease: Lease, fence: int) -> None:
        """Give the next lease a token above `fence`, which a folder has from a time that this store
        knows nothing of: it was restored from a backup. Raises LeaseLost.
        """
        self._leases.outrun(lease, fence)

    def rewind(self, lease: Lease, size: int) -> int:
        """Bytes of the job's events file that were reported, of the `size` that it has now.

        What is added to a file that got shorter, or was deleted, is new. Raises LeaseLost.
        """
        return self._leases.rewind(lease, size)

    def report(
        self,
        lease: Lease,
        *,
        events: Sequence[Mapping[str, Any]],
        offset: int,
        progress: Progress | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Add what a run told up to byte `offset` of its events file. Raises LeaseLost.

        A batch whose offset was reached before is a repetition and adds no event, so that a
        batch without an answer can be sent again: the very same batch.
        """
        self._leases.report(lease, events=events, offset=offset, progress=progress, metrics=metrics)

    def show(self, current: JobRecord, progress: Progress) -> None:
        """Replace the progress of a pipeline, which no worker holds, if that is still `current`."""
        shown = progress.model_dump_json()
        self._scripts.run("show", current.id, current.revision, shown)

    def expired(self) -> tuple[str, ...]:
        """Ids of the jobs whose lease has run out."""
        return self._leases.expired()

    def add_event(self, job_id: str, event: Mapping[str, Any], *, once: str | None = None) -> str:
        """Tell `event` and return its id; the same `once` is told once. Raises UnknownJob."""
        return self._events.add(job_id, event, once=once)

    def events(self, job_id: str, *, after: str | None = None, limit: int = 100) -> EventPage:
        """Up to `limit` events after the one named. Raises UnknownJob and BadCursor."""
        return self._events.page(job_id, after=after, limit=limit)

    def forget_dataset(self, name: str) -> AbstractContextManager[None]:
        """Keep new jobs off a data set while it is deleted.

        Entering raises DatasetInUse and DatasetUnavailable.
        """
        return self._holds.forgetting(name)

    def _row(self, job_id: str) -> rows.Row:
        stored = cast(rows.Row, self.client.hgetall(self.keys.job(job_id)))
        if not stored:
            raise UnknownJob(f"there is no job {job_id}")
        return stored

    def _try_move(
        self, current: JobRecord, to: JobStatus, guard: str, changes: Mapping[str, Any]
    ) -> JobRecord | None:
        """The record after the move; None where another change came first."""
        check_move(current.status, to)
        changed = rows.fields(current.evolve(**changes), frozenset(changes))
        removed = [name for name in changes if name not in changed]
        moved = self._try_move_row((current.id, current.revision, guard), to, changed, removed)
        return None if moved is None else rows.record(current.id, moved)

    def _try_move_row(
        self, seen: tuple[str, int, str], to: JobStatus, changed: rows.Row, removed: Sequence[str]
    ) -> rows.Row | None:
        """The same of a row; `seen`: its id and revision, and the guard."""
        answer, *found = self._scripts.run(
            "move",
            *seen,
            secrets.token_hex(8),
            to.value,
            json.dumps(changed),
            json.dumps(removed),
            self._notify,
        )
        if answer == "changed":
            return None
        if answer == "moved":
            return rows.row_of_flat(found[0])
        raise _refusal(answer, seen[0], found)


def _refusal(answer: str, job_id: str, found: Sequence[Any]) -> JobError:
    match answer:
        case "unknown":
            return UnknownJob(f"there is no job {job_id}")
        case "unavailable":
            return unavailable(found[0])
    return LeaseLost(f"job {job_id} is no longer held by that lease: stop the work")
