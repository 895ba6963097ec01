"""The client whose user goes on while it waits."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, Unpack

from sentiscope.service import datasets, jobs, models
from sentiscope.service.address import Address
from sentiscope.service.archives import Archives, Progress, Source
from sentiscope.service.datasets import Dataset
from sentiscope.service.events import Following
from sentiscope.service.images import Given
from sentiscope.service.job import Artifact, Event, Job
from sentiscope.service.line import AsyncLine
from sentiscope.service.models import Model
from sentiscope.service.predicting import BATCH_SIZE, Options, answered, batches
from sentiscope.service.prediction import Answer, Predictions
from sentiscope.service.retries import Retries
from sentiscope.service_defaults import WATCH_PATIENCE_S

_DEFAULT = Retries()
_AT_ONCE = 4


class AsyncClient:
    """One service, `url` else SENTISCOPE_URL, with `key` else SENTISCOPE_API_KEY.

    All that it does may raise SentiscopeError. Up to `at_once` batches of images are on their way
    at the same time.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        retries: Retries = _DEFAULT,
        at_once: int = _AT_ONCE,
    ) -> None:
        address = Address.found(url, key)
        self.url = address.url
        self._line, self._at_once = AsyncLine(address, retries), at_once
        self.jobs = AsyncJobs(self._line)
        self.models = AsyncModels(self._line)
        self.datasets = AsyncDatasets(self._line)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._line.close()

    async def predict(
        self,
        images: Given | Iterable[Given],
        *,
        batch_size: int = BATCH_SIZE,
        **options: Unpack[Options],
    ) -> Predictions:
        """What images make people feel: one image or many, an answer for each, in order."""
        each = self.predict_each(images, batch_size=batch_size, **options)
        return Predictions(tuple([answer async for answer in each]))

    async def predict_each(
        self,
        images: Given | Iterable[Given],
        *,
        batch_size: int = BATCH_SIZE,
        **options: Unpack[Options],
    ) -> AsyncGenerator[Answer, None]:
        """The same, answer by answer, while no more than `at_once` batches are held in memory."""
        left = batches(images, size=batch_size)
        on_their_way: deque[asyncio.Task[tuple[Answer, ...]]] = deque()
        try:
            while (batch := await asyncio.to_thread(next, left, None)) or on_their_way:
                if batch:
                    talk = answered(batch, options)
                    on_their_way.append(asyncio.create_task(self._line.hold(talk)))
                if not batch or len(on_their_way) >= self._at_once:
                    for answer in await on_their_way.popleft():
                        yield answer
        finally:
            for task in on_their_way:
                task.cancel()
            await asyncio.gather(*on_their_way, return_exceptions=True)


class AsyncJobs:
    """The jobs of a service."""

    def __init__(self, line: AsyncLine) -> None:
        self._line = line

    async def submit(
        self, kind: str, config: Mapping[str, object], **asked: Unpack[jobs.Asked]
    ) -> "AsyncJobHandle":
        """A new job, made once however often the request is sent."""
        return self.handle((await self._line.hold(jobs.submitted(kind, config, asked))).id)

    def handle(self, job_id: str) -> "AsyncJobHandle":
        """A job to watch and steer; nothing is asked yet."""
        return AsyncJobHandle(job_id, self._line)

    async def get(self, job_id: str) -> Job:
        """A job's record."""
        return await self._line.hold(jobs.shown(job_id))

    def list(self, **which: Unpack[jobs.Filter]) -> AsyncIterator[Job]:
        """Jobs, newest first; pages are fetched as they are needed."""
        return self._line.pages(jobs.listed(which))


@dataclass(frozen=True, slots=True)
class AsyncJobHandle:
    """One job, by its id."""

    id: str
    _line: AsyncLine

    async def get(self) -> Job:
        """Its record as it is now."""
        return await self._line.hold(jobs.shown(self.id))

    async def record(self) -> dict[str, Any]:
        """Its record with all of its fields, as the service has it."""
        return await self._line.hold(jobs.record(self.id))

    def watch(
        self, *, after: str | None = None, patience_s: float = WATCH_PATIENCE_S
    ) -> AsyncIterator[Event]:
        """What it tells, as it comes, until it has ended; a lost stream is taken up again."""
        return self._line.events(Following(self.id, after=after, patience_s=patience_s))

    async def wait(self, *, timeout_s: float | None = None, every_s: float = 1.0) -> Job:
        """Its record once it has ended or is paused; raises StillRunning."""
        return await self._line.hold(jobs.awaited(self.id, timeout_s=timeout_s, every_s=every_s))

    async def cancel(self) -> Job:
        """End it, or a pipeline with its steps."""
        return await self.act("cancel")

    async def pause(self) -> Job:
        """Stop it at a checkpoint."""
        return await self.act("pause")

    async def resume(self) -> Job:
        """Let it go on where it was stopped."""
        return await self.act("resume")

    async def retry(self) -> Job:
        """Let it go on after it failed or was cancelled."""
        return await self.act("retry")

    async def act(self, action: jobs.Action) -> Job:
        """One of the above by its name; the record as it is then."""
        return await self._line.hold(jobs.acted(self.id, action))

    async def log(self, *, lines: int = 200) -> str:
        """The end of its log."""
        return await self._line.hold(jobs.log(self.id, lines=lines))

    async def log_from(self, start: int) -> tuple[bytes, int]:
        """What its log holds from a byte on, and the byte to go on from."""
        return await self._line.hold(jobs.log_from(self.id, start))

    async def artifacts(self) -> tuple[Artifact, ...]:
        """The files that it made."""
        return await self._line.hold(jobs.artifacts(self.id))

    def artifact(self, path: str) -> AsyncIterator[bytes]:
        """The content of one of them, in parts."""
        return self._line.content(jobs.artifact(self.id, path))


class AsyncModels:
    """The models of a service."""

    def __init__(self, line: AsyncLine) -> None:
        self._line = line

    def list(self) -> AsyncIterator[Model]:
        """All models with their versions and aliases."""
        return self._line.pages(models.listed())

    async def get(self, name: str) -> Model:
        """One of them."""
        return await self._line.hold(models.shown(name))

    async def manifest(self, name: str, version: str) -> dict[str, Any]:
        """Outputs with label order, pre-processing, metrics, lineage; and the digest."""
        return await self._line.hold(models.manifest(name, version))

    async def card(self, name: str, version: str) -> str:
        """A version's card, Markdown."""
        return await self._line.hold(models.card(name, version))

    async def promote(self, name: str, version: str, *, alias: str = "production") -> Model:
        """Point an alias to a version, for every request from now on."""
        return await self._line.hold(models.promoted(name, version, alias=alias))


class AsyncDatasets:
    """The data sets of a service."""

    def __init__(self, line: AsyncLine) -> None:
        self._line = line

    def list(self) -> AsyncIterator[Dataset]:
        """Data sets by name; pages are fetched as they are needed."""
        return self._line.pages(datasets.listed())

    async def get(self, name: str) -> Dataset:
        """One of them."""
        return await self._line.hold(datasets.shown(name))

    async def upload(
        self,
        source: Source | Sequence[Source],
        *,
        name: str,
        format: str,
        progress: Progress | None = None,
        **options: Unpack[datasets.Options],
    ) -> AsyncJobHandle:
        """The job that imports one folder, or one or more archives of one data set."""
        with await asyncio.to_thread(Archives.open, source, progress) as opened:
            talk = datasets.sent(opened.archives, name=name, format=format, options=options)
            return AsyncJobHandle((await self._line.hold(talk)).id, self._line)

    async def wait(
        self, name: str, *, timeout_s: float | None = None, every_s: float = 1.0
    ) -> Dataset:
        """One of them once it is imported; raises NotImported and StillRunning."""
        return await self._line.hold(datasets.awaited(name, timeout_s=timeout_s, every_s=every_s))

    async def delete(self, name: str) -> None:
        """Delete one that no job reads which has not ended."""
        await self._line.hold(datasets.deleted(name))
