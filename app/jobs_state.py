"""What the routes of jobs work with, for as long as the service lives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Self, cast

import redis
import redis.asyncio
from fastapi import Depends, Request
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from app import measures, persistence
from app.job_problems import REDIS_IS_AWAY, of_job_error
from app.metrics import Metrics
from worker import rows
from worker.queue import Dispatch
from worker.settings import JobSettings
from worker.store import JobStore, UnknownJob
from worker.sweep import Sweeper

_CONNECT_S, _ANSWER_S = 2.0, 5.0
_TRIES, _FIRST_WAIT_S, _LONGEST_WAIT_S = 2, 0.02, 0.1
"""A service without its Redis says so soon: the client is told when to ask again."""

_COUNT_S = 1.0
"""Prometheus waits ten seconds for everything, and should miss nothing but the jobs."""

_MOST_WATCHERS = 10_000
_SETTLED_AT_ONCE = 2
"""Uploads made safe to import at a time, minutes of work: predictions want the cores too."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The parts; the store is for threads, `waiting` speaks to the same Redis from the loop."""

    settings: JobSettings
    store: JobStore
    dispatch: Dispatch
    waiting: redis.asyncio.Redis
    leaving: Callable[[], bool]
    """Whether the service is about to end: what waits for news should end too."""

    settling: asyncio.Semaphore

    @classmethod
    def open(cls, settings: JobSettings, *, leaving: Callable[[], bool]) -> Self:
        """Connects when it is first used, and again after Redis was away."""
        url = settings.redis_url or ""
        backoff = ExponentialBackoff(cap=_LONGEST_WAIT_S, base=_FIRST_WAIT_S)
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=_ANSWER_S,
            retry=Retry(backoff, _TRIES),
        )
        waiting = redis.asyncio.Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=_ANSWER_S,
            retry=redis.asyncio.retry.Retry(backoff, _TRIES),
            max_connections=_MOST_WATCHERS,
        )
        webhooks = settings.webhook_url is not None
        turns = asyncio.Semaphore(_SETTLED_AT_ONCE)
        store = JobStore(client, prefix=settings.redis_prefix, webhooks=webhooks)
        return cls(settings, store, Dispatch.open(settings), waiting, leaving, turns)

    async def row(self, job_id: str) -> rows.Row:
        """A job's record as it is stored, read without a thread. Raises UnknownJob."""
        stored = cast(rows.Row, await self.waiting.hgetall(self.store.keys.job(job_id)))
        if not stored:
            raise UnknownJob(f"there is no job {job_id}")
        return stored

    async def warnings(self) -> list[str]:
        """What is amiss with the store that answers; raises JobStoreAway where it does not."""
        try:
            return await persistence.warnings(self.waiting)
        except REDIS_IS_AWAY as error:
            raise of_job_error(error) from error

    async def folder(self, job_id: str) -> Path:
        """A job's folder, which may not be there yet. Raises UnknownJob."""
        if not await self.waiting.exists(self.store.keys.job(job_id)):
            raise UnknownJob(f"there is no job {job_id}")
        return self.settings.jobs_root / job_id


@asynccontextmanager
async def opened(
    settings: JobSettings, metrics: Metrics, *, leaving: Callable[[], bool]
) -> AsyncIterator[Jobs]:
    """The parts, closed in the end; meanwhile this process sweeps, as every worker does."""
    jobs, sweeper = Jobs.open(settings, leaving=leaving), Sweeper(settings)
    counted = _impatient(settings)
    metrics.gauge(measures.JOBS, partial(_counts, counted))
    sweeper.start()
    try:
        yield jobs
    finally:
        sweeper.tell()
        await jobs.waiting.aclose()
        jobs.dispatch.close()
        jobs.store.close()
        counted.close()


def _impatient(settings: JobSettings) -> JobStore:
    """The store for who would rather have no answer than wait."""
    client = redis.Redis.from_url(
        settings.redis_url or "",
        decode_responses=True,
        socket_connect_timeout=_COUNT_S,
        socket_timeout=_COUNT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return JobStore(client, prefix=settings.redis_prefix)


def _counts(store: JobStore) -> dict[tuple[str, ...], float]:
    """Jobs by status; nothing is told while Redis is away."""
    try:
        return {(status,): float(count) for status, count in store.counts().items()}
    except REDIS_IS_AWAY:
        return {}


async def _jobs(request: Request) -> Jobs:  # a plain function would cost a turn of a thread
    jobs: Jobs = request.state.jobs
    return jobs


TheJobs = Annotated[Jobs, Depends(_jobs)]
