"""Training goes on past an image that cannot be read: the next one takes its place, and it is told.

Evaluation does not: figures are of all images that they say they are of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from torch.utils.data import Dataset

from training.data.decoding import UnreadableImage
from training.data.labelled import Draw

_TRIES = 16
"""So many unreadable images in a row are no accident."""

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
B = TypeVar("B")


class Drawn(Protocol[T_co]):
    """Samples that are looked up by `Draw`."""

    def __len__(self) -> int: ...

    def __getitem__(self, draw: Draw) -> T_co: ...


class Visit(NamedTuple, Generic[T]):
    """What was read, and why other samples were not."""

    item: T
    skipped: tuple[str, ...]


class Delivered(NamedTuple, Generic[B]):
    """A batch, how many images it holds, and why samples were passed over on the way."""

    batch: B
    images: int
    skipped: tuple[str, ...]


class SkipsUnreadable(Dataset[Visit[T]], Generic[T]):
    """The samples of `images`; one that cannot be read is replaced by the next that can."""

    def __init__(self, images: Drawn[T]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, draw: Draw) -> Visit[T]:
        skipped: list[str] = []
        for offset in range(min(_TRIES, len(self))):
            place = (draw.sample + offset) % len(self)
            try:
                return Visit(self._images[draw._replace(sample=place)], tuple(skipped))
            except UnreadableImage as error:
                skipped.append(str(error))
        raise UnreadableImage(f"{len(skipped)} images in a row cannot be read: {skipped[0]}; ...")


@dataclass(frozen=True, slots=True)
class Delivery(Generic[T, B]):
    """Collates visits: their items by `collate`, beside what was skipped."""

    collate: Callable[[Sequence[T]], B]

    def __call__(self, visits: Sequence[Visit[T]]) -> Delivered[B]:
        """The batch of `visits`."""
        skipped = tuple(reason for visit in visits for reason in visit.skipped)
        return Delivered(self.collate([visit.item for visit in visits]), len(visits), skipped)
