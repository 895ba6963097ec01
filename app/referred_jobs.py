"""The jobs whose runs a new job builds upon: whether they will do, and which are waited for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from app.errors import Fault, InvalidJob, JobHasNoRun, JobNotFound, RequestError
from app.references import RunReference
from app.waits import Wait
from worker.jobs import JobRecord, is_id
from worker.status import JobStatus
from worker.store import JobStore, UnknownJob

Placed = tuple[type[RequestError], Fault]
"""What is wrong, and where."""

_HOPELESS = frozenset({JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.CANCELLING})


@dataclass(frozen=True, slots=True)
class ReferredJobs:
    """References to runs, and the jobs of them that exist."""

    runs: tuple[RunReference, ...]
    jobs: Mapping[str, JobRecord]

    @classmethod
    def found(cls, runs: tuple[RunReference, ...], store: JobStore) -> Self:
        """Looks them up."""
        jobs = {}
        for job_id in {run.job_id for run in runs if is_id(run.job_id)}:
            try:
                jobs[job_id] = store.get(job_id)
            except UnknownJob:
                continue
        return cls(runs, jobs)

    def faults(self) -> Iterator[Placed]:
        """What keeps a job from building upon them."""
        for run in self.runs:
            fault = self._fault(run)
            if fault is not None:
                kind, message = fault
                yield kind, Fault(run.loc, message)

    def waits(self) -> Iterator[Wait]:
        """Those that have not succeeded yet."""
        for run in self.runs:
            if self.jobs[run.job_id].status is not JobStatus.SUCCEEDED:
                yield Wait(run.loc, run.job_id)

    def datasets(self) -> set[str]:
        """Data sets that are opened again because a run was trained on them."""
        read = (run for run in self.runs if run.reads_its_datasets)
        return {name for run in read for name in self.jobs[run.job_id].datasets}

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
