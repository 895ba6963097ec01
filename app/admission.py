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
from app.references import DatasetReference, Reference, references
from app.referred_jobs import Placed, ReferredJobs
from app.submission import said
from models.errors import ModelError
from models.labels import LabelKind
from models.registry import Registry
from training.config.dataset_card import DatasetCard
from training.config.datasets import DatasetConfig
from training.config.pipeline import PipelineConfig
from worker.catalogue import BrokenDataset, Catalogue, UnknownDataset
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
        faults = [
            *jobs.faults(),
            *(fault for dataset in named.datasets for fault in self._dataset_faults(dataset)),
            *(fault for weights in named.weights for fault in self._weights_faults(weights)),
            *(fault for model in named.models for fault in self._model_faults(model)),
        ]
        if faults:
            raise _error(faults)
        if isinstance(spec.config, PipelineConfig):
            return expand(spec, awaited=jobs.awaited(depth=len(_LOC)))
        datasets = tuple(sorted({*dataset_names(spec.config), *jobs.datasets()}))
        return (JobRecord.of(spec, datasets=datasets, depends_on=jobs.unfinished()),)

    def _dataset_faults(self, dataset: DatasetReference) -> Iterator[Placed]:
        try:
            card = Catalogue(self.settings.datasets_root).card(dataset.name)
        except UnknownDataset as error:
            yield DatasetNotFound, Fault(dataset.loc, str(error))
        except BrokenDataset as error:
            yield InvalidJob, Fault(dataset.loc, str(error))
        else:
            if dataset.config is not None:
                yield from _kind_faults(dataset.config, card, dataset)

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


def _kind_faults(
    config: DatasetConfig, card: DatasetCard, dataset: DatasetReference
) -> Iterator[Placed]:
    """Kinds of label that the data set does not have and that are not derived from what it has."""
    for kind in config.kinds:
        is_derived = kind is LabelKind.MULTI and config.multi_at_least is not None
        if (LabelKind.DISTRIBUTION if is_derived else kind) not in card.label_sets:
            offered = ", ".join(sorted(card.label_sets)) or "none"
            message = f"data set {config.name!r} has no {kind} labels; it offers: {offered}"
            yield InvalidJob, Fault((*dataset.loc[:-1], "kinds"), message)


def _error(placed: list[Placed]) -> RequestError:
    faults = [fault for _, fault in placed]
    kind = min((kind for kind, _ in placed), key=_GRAVITY.index)
    return kind(said(faults), faults=faults)
