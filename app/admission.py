"""Whether what a job refers to is there; what has not ended yet is waited for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import (
    DatasetNotFound,
    Fault,
    InvalidJob,
    JobHasNoRun,
    JobNotFound,
    ModelNotFound,
    RequestError,
)
from app.references import Reference, References, RunReference, references
from app.submission import said
from models.errors import ModelError
from models.registry import Registry
from training.config.pipeline import PipelineConfig, PipelineStep
from worker.expansion import expand
from worker.jobs import JobRecord, JobSpec, dataset_names, is_id
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore, UnknownJob
from worker.weights import WeightsRefused, weights_file

_LOC = ("body", "config")
_HOPELESS = frozenset({JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.CANCELLING})
_GRAVITY: tuple[type[RequestError], ...] = (
    InvalidJob,
    DatasetNotFound,
    ModelNotFound,
    JobNotFound,
    JobHasNoRun,
)
"""Of several kinds of fault the first here gives the answer its status; all are named."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Turns what is asked for into records, if all of it can be done."""

    store: JobStore
    settings: JobSettings
    models: Registry

    def records(self, spec: JobSpec) -> tuple[JobRecord, ...]:
        """The records to store, a pipeline's own first; raises RequestError with every fault."""
        named = references(spec.config, loc=_LOC)
        found = _Found(self._jobs(named.runs))
        faults = [*found.faults(named.runs), *self._faults(named)]
        if faults:
            raise _error(faults)
        if isinstance(spec.config, PipelineConfig):
            return expand(spec, awaited=found.awaited(named.runs))
        datasets = {*dataset_names(spec.config), *found.datasets(named.runs)}
        return (
            JobRecord.of(
                spec,
                datasets=tuple(sorted(datasets)),
                depends_on=found.unfinished(named.runs),
            ),
        )

    def _jobs(self, runs: Iterable[RunReference]) -> dict[str, JobRecord]:
        found = {}
        for job_id in {run.job_id for run in runs if is_id(run.job_id)}:
            try:
                found[job_id] = self.store.get(job_id)
            except UnknownJob:
                continue
        return found

    def _faults(self, named: References) -> Iterator["_Placed"]:
        yield from _dataset_faults(named.datasets, self.settings.datasets_root)
        for weights in named.weights:
            try:
                weights_file(Path(weights.given), self.settings.weights_roots)
            except WeightsRefused as error:
                yield InvalidJob, Fault(weights.loc, str(error))
        for model in named.models:
            try:
                self.models.resolve(model.given)
            except ModelError as error:
                yield ModelNotFound, Fault(model.loc, str(error))


_Placed = tuple[type[RequestError], Fault]


@dataclass(frozen=True, slots=True)
class _Found:
    """The jobs that are referred to, as far as they exist."""

    jobs: Mapping[str, JobRecord] = field(default_factory=dict)

    def faults(self, runs: Iterable[RunReference]) -> Iterator[_Placed]:
        for run in runs:
            fault = self._fault(run)
            if fault is not None:
                kind, message = fault
                yield kind, Fault(run.loc, message)

    def _fault(self, run: RunReference) -> tuple[type[RequestError], str] | None:
        if not is_id(run.job_id):
            return InvalidJob, (
                f"{run.job_id!r} is not the id of a job; over HTTP a run is named by the id of "
                "the job that makes it"
            )
        job = self.jobs.get(run.job_id)
        if job is None:
            return JobNotFound, f"there is no job {run.job_id}"
        if job.kind not in run.kinds:
            expected = ", ".join(sorted(run.kinds))
            return InvalidJob, f"job {job.id} is of kind {job.kind}, expected one of {expected}"
        if job.status in _HOPELESS:
            return JobHasNoRun, f"job {job.id} is {job.status}; retry it, or name another"
        return None

    def unfinished(self, runs: Iterable[RunReference]) -> tuple[str, ...]:
        """Ids of those that have not succeeded yet."""
        ids = {run.job_id for run in runs}
        waiting = (i for i in ids if self.jobs[i].status is not JobStatus.SUCCEEDED)
        return tuple(sorted(waiting))

    def awaited(self, runs: tuple[RunReference, ...]) -> dict[PipelineStep, tuple[str, ...]]:
        """Ids that each step of a pipeline has to wait for."""
        at = len(_LOC)
        return {
            step: self.unfinished(run for run in runs if run.loc[at] == step)
            for step in PipelineStep
        }

    def datasets(self, runs: Iterable[RunReference]) -> set[str]:
        """Data sets that are read because a run was trained on them."""
        read = (run for run in runs if run.reads_its_datasets)
        return {name for run in read for name in self.jobs[run.job_id].datasets}


def _dataset_faults(named: Iterable[Reference], root: Path) -> Iterator[_Placed]:
    known = sorted(card.parent.name for card in root.glob("*/dataset.json"))
    for dataset in named:
        if dataset.given not in known:
            message = f"there is no data set {dataset.given!r}; known: {', '.join(known) or 'none'}"
            yield DatasetNotFound, Fault(dataset.loc, message)


def _error(placed: list[_Placed]) -> RequestError:
    faults = [fault for _, fault in placed]
    kind = min((kind for kind, _ in placed), key=_GRAVITY.index)
    return kind(said(faults), faults=faults)
