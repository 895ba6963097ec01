"""The data sets a new job reads: whether they will do, and whose import is waited for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.errors import DatasetNotFound, Fault, InvalidJob
from app.imports import importing
from app.references import DatasetReference
from app.referred_jobs import Placed
from app.waits import Wait
from models.labels import LabelKind
from training.config.dataset_card import DatasetCard
from training.config.datasets import DatasetConfig
from worker.catalogue import BrokenDataset, Catalogue, UnknownDataset
from worker.store import JobStore


@dataclass(frozen=True, slots=True)
class ReferredDatasets:
    """References to data sets, and the jobs that import some by name."""

    datasets: tuple[DatasetReference, ...]
    importing: Mapping[str, str]
    catalogue: Catalogue

    @classmethod
    def found(cls, datasets: tuple[DatasetReference, ...], store: JobStore, root: Path) -> Self:
        """Looks for imports before any card: one that ends in between has left its card."""
        return cls(datasets, importing(store), Catalogue(root))

    def faults(self) -> Iterator[Placed]:
        """What keeps a job from reading them; of one that is being imported nothing is known."""
        for dataset in self.datasets:
            try:
                card = self.catalogue.card(dataset.name)
            except UnknownDataset as error:
                if dataset.name not in self.importing:
                    yield DatasetNotFound, Fault(dataset.loc, str(error))
            except BrokenDataset as error:
                yield InvalidJob, Fault(dataset.loc, str(error))
            else:
                if dataset.config is not None:
                    yield from _kind_faults(dataset.config, card, dataset)

    def waits(self) -> Iterator[Wait]:
        """The imports under way."""
        for dataset in self.datasets:
            if dataset.name in self.importing:
                yield Wait(dataset.loc, self.importing[dataset.name])


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
