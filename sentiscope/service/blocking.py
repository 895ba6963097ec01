"""The client whose user waits for each answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from sentiscope.service.line import Line
from sentiscope.service.models import Model
from sentiscope.service.predicting import BATCH_SIZE, Options, answered, batches
from sentiscope.service.prediction import Answer, Predictions
from sentiscope.service.retries import Retries
from sentiscope.service_defaults import WATCH_PATIENCE_S

_DEFAULT = Retries()


class Client:
    """One service, `url` else SENTISCOPE_URL, with `key` else SENTISCOPE_API_KEY.

    All that it does may raise SentiscopeError.
    """

    def __init__(
        self, url: str | None = None, *, key: str | None = None, retries: Retries = _DEFAULT
    ) -> None:
        address = Address.found(url, key)
        self.url = address.url
        self._line = Line(address, retries)
        self.jobs = Jobs(self._line)
        self.models = Models(self._line)
        self.datasets = Datasets(self._line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._line.close()

    def predict(
        self,
        images: Given | Iterable[Given],
        *,
        batch_size: int = BATCH_SIZE,
        **options: Unpack[Options],
    ) -> Predictions:
        """What images make people feel: one image or many, an answer for each, in order."""
        return Predictions(tuple(self.predict_each(images, batch_size=batch_size, **options)))

    def predict_each(
        self,
        images: Given | Iterable[Given],
        *,
        batch_size: int = BATCH_SIZE,
        **options: Unpack[Options],
    ) -> Iterator[Answer]:
        """The same, answer by answer, while no more than one batch is held in memory."""
        for batch in batches(images, size=batch_size):
            yield from self._line.hold(answered(batch, options))


class Jobs:
    """The jobs of a service."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def submit(
        self, kind: str, config: Mapping[str, object], **asked: Unpack[jobs.Asked]
    ) -> "JobHandle":
        """A new job, made once however often the request is sent."""
        return self.handle(self._line.hold(jobs.submitted(kind, config, asked)).id)

    def handle(self, job_id: str) -> "JobHandle":
        """A job to watch and steer; nothing is asked yet."""
        return JobHandle(job_id, self._line)

    def get(self, job_id: str) -> Job:
        """A job's record."""
        return self._line.hold(jobs.shown(job_id))

    def list(self, **which: Unpack[jobs.Filter]) -> Iterator[Job]:
        """Jobs, newest first; pages are fetched as they are needed."""
        return self._line.pages(jobs.listed(which))


@dataclass(frozen=True, slots=True)
class JobHandle:
    """One job, by its id."""

    id: str
    _line: Line

    def get(self) -> Job:
        """Its record as it is now."""
        return self._line.hold(jobs.shown(self.id))

    def record(self) -> dict[str, Any]:
        """Its record with all of its fields, as the service has it."""
        return self._line.hold(jobs.record(self.id))

    def watch(
        self, *, after: str | None = None, patience_s: float = WATCH_PATIENCE_S
    ) -> Iterator[Event]:
        """What it tells, as it comes, until it has ended; a lost stream is taken up again."""
        return self._line.events(Following(self.id, after=after, patience_s=patience_s))

    def wait(self, *, timeout_s: float | None = None, every_s: float = 1.0) -> Job:
        """Its record once it has ended or is paused; raises StillRunning."""
        return self._line.hold(jobs.awaited(self.id, timeout_s=timeout_s, every_s=every_s))

    def cancel(self) -> Job:
        """End it, or a pipeline with its steps."""
        return self.act("cancel")

    def pause(self) -> Job:
        """Stop it at a checkpoint."""
        return self.act("pause")

    def resume(self) -> Job:
        """Let it go on where it was stopped."""
        return self.act("resume")

    def retry(self) -> Job:
        """Let it go on after it failed or was cancelled."""
        return self.act("retry")

    def act(self, action: jobs.Action) -> Job:
        """One of the above by its name; the record as it is then."""
        return self._line.hold(jobs.acted(self.id, action))

    def log(self, *, lines: int = 200) -> str:
        """The end of its log."""
        return self._line.hold(jobs.log(self.id, lines=lines))

    def log_from(self, start: int) -> tuple[bytes, int]:
        """What its log holds from a byte on, and the byte to go on from."""
        return self._line.hold(jobs.log_from(self.id, start))

    def artifacts(self) -> tuple[Artifact, ...]:
        """The files that it made."""
        return self._line.hold(jobs.artifacts(self.id))

    def artifact(self, path: str) -> Iterator[bytes]:
        """The content of one of them, in parts."""
        return self._line.content(jobs.artifact(self.id, path))


class Models:
    """The models of a service."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def list(self) -> Iterator[Model]:
        """All models with their versions and aliases."""
        return self._line.pages(models.listed())

    def get(self, name: str) -> Model:
        """One of them."""
        return self._line.hold(models.shown(name))

    def manifest(self, name: str, version: str) -> dict[str, Any]:
        """Outputs with label order, pre-processing, metrics, lineage; and the digest."""
        return self._line.hold(models.manifest(name, version))

    def card(self, name: str, version: str) -> str:
        """A version's card, Markdown."""
        return self._line.hold(models.card(name, version))

    def promote(self, name: str, version: str, *, alias: str = "production") -> Model:
        """Point an alias to a version, for every request from now on."""
        return self._line.hold(models.promoted(name, version, alias=alias))


class Datasets:
    """The data sets of a service."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def list(self) -> Iterator[Dataset]:
        """Data sets by name; pages are fetched as they are needed."""
        return self._line.pages(datasets.listed())

    def get(self, name: str) -> Dataset:
        """One of them."""
        return self._line.hold(datasets.shown(name))

    def upload(
        self,
        source: Source | Sequence[Source],
        *,
        name: str,
        format: str,
        progress: Progress | None = None,
        **options: Unpack[datasets.Options],
    ) -> JobHandle:
        """The job that imports one folder, or one or more archives of one data set."""
        with Archives.open(source, progress) as opened:
            talk = datasets.sent(opened.archives, name=name, format=format, options=options)
            return JobHandle(self._line.hold(talk).id, self._line)

    def wait(self, name: str, *, timeout_s: float | None = None, every_s: float = 1.0) -> Dataset:
        """One of them once it is imported; raises NotImported and StillRunning."""
        return self._line.hold(datasets.awaited(name, timeout_s=timeout_s, every_s=every_s))

    def delete(self, name: str) -> None:
        """Delete one that no job reads which has not ended."""
        self._line.hold(datasets.deleted(name))
