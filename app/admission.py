"""Whether what a job refers to is there; what has not ended yet is waited for."""

from collections.abc import Iterator
from dataclasses import dataclass
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
from app.references import Reference, references
from app.referred_datasets import ReferredDatasets
from app.referred_jobs import Placed, ReferredJobs
from app.submission import said
from app.waits import Waits
from models.errors import ModelError
from models.registry import Registry
from training.config.pipeline import PipelineConfig
from worker.expansion import expand
from worker.jobs import JobRecord, JobSpec, dataset_names
from worker.settings import JobSettings
from worker.store import JobStore
from worker.weights import WeightsRefused, weights_file

_LOC = ("body", "config")
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
        jobs = ReferredJobs.found(named.runs, self.store)
        read = ReferredDatasets.found(named.datasets, self.store, self.settings.datasets_root)
        faults = [
            *jobs.faults(),
            *read.faults(),
            *(fault for weights in named.weights for fault in self._weights_faults(weights)),
            *(fault for model in named.models for fault in self._model_faults(model)),
        ]
        if faults:
            raise _error(faults)
        waits = Waits((*jobs.waits(), *read.waits()))
        if isinstance(spec.config, PipelineConfig):
            return expand(spec, awaited=waits.by_step(depth=len(_LOC)))
        datasets = tuple(sorted({*dataset_names(spec.config), *jobs.datasets()}))
        return (JobRecord.of(spec, datasets=datasets, depends_on=waits.ids()),)

    def _weights_faults(self, weights: Reference) -> Iterator[Placed]:
        try:
            weights_file(Path(weights.given), self.settings.weights_roots)
        except WeightsRefused as error:
            yield InvalidJob, Fault(weights.loc, str(error))

    def _model_faults(self, model: Reference) -> Iterator[Placed]:
        try:
            self.models.resolve(model.given)
        except ModelError as error:
            yield ModelNotFound, Fault(model.loc, str(error))


def _error(placed: list[Placed]) -> RequestError:
    faults = [fault for _, fault in placed]
    kind = min((kind for kind, _ in placed), key=_GRAVITY.index)
    return kind(said(faults), faults=faults)
