"""What goes wrong in a loader's process is raised in the one that trains, and without a traceback.

PyTorch would put the other process's traceback into the message, for whoever gave it a bad image.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch.utils.data import Dataset

from training.data.labelled import Draw
from training.errors import TrainingError

T = TypeVar("T")
B = TypeVar("B")


class TellsErrors(Dataset[T | TrainingError], Generic[T]):
    """The samples of `images`; where one raises a TrainingError, that error is the sample."""

    def __init__(self, images: Dataset[T]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)  # type: ignore[arg-type]  # every data set of ours has one

    def __getitem__(self, draw: Draw) -> T | TrainingError:
        try:
            return self._images[draw]
        except TrainingError as error:
            return error


@dataclass(frozen=True, slots=True)
class TellingCollate(Generic[T, B]):
    """Collates by `collate`; the first error among the samples is the batch."""

    collate: Callable[[Sequence[T]], B]

    def __call__(self, samples: Sequence[T | TrainingError]) -> B | TrainingError:
        """The batch of `samples`, or why there is none."""
        whole: list[T] = []
        for sample in samples:
            if isinstance(sample, TrainingError):
                return sample
            whole.append(sample)
        return self.collate(whole)


@dataclass(frozen=True, slots=True)
class Told(Generic[B]):
    """The batches of a loader; one that is an error is raised."""

    loader: Iterable[Any]

    def __iter__(self) -> Iterator[B]:
        for batch in self.loader:
            if isinstance(batch, TrainingError):
                raise batch
            yield batch
