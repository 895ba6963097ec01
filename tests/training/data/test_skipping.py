"""Training goes on past an image that cannot be read, and says so."""

import pytest

from training.data.decoding import UnreadableImage
from training.data.labelled import Draw
from training.data.loading import InOrder, deliver
from training.data.skipping import SkipsUnreadable


class Numbers:
    """Samples that are their own number; some cannot be read."""

    def __init__(self, count: int, *, broken: set[int]) -> None:
        self._count, self._broken = count, broken

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, draw: Draw) -> int:
        if draw.sample in self._broken:
            raise UnreadableImage(f"{draw.sample}.jpg")
        return draw.sample


def test_the_next_readable_image_takes_the_place_of_one_that_is_not() -> None:
    samples = SkipsUnreadable(Numbers(5, broken={1, 2, 4}))
    assert samples[Draw(0, (0,))] == (0, ())
    assert samples[Draw(1, (0,))] == (3, ("1.jpg", "2.jpg"))
    assert samples[Draw(4, (0,))] == (0, ("4.jpg",))


@pytest.mark.parametrize("count", [3, 40])
def test_a_corpus_of_which_nothing_can_be_read_is_an_error(count: int) -> None:
    samples = SkipsUnreadable(Numbers(count, broken=set(range(count))))
    with pytest.raises(UnreadableImage, match=r"images in a row cannot be read: 0\.jpg"):
        samples[Draw(0, (0,))]


def test_a_delivery_keeps_the_size_of_its_batch_and_names_what_was_skipped() -> None:
    images = Numbers(4, broken={2})
    found = list(deliver(images, InOrder(4, 2), list, workers=0))
    assert found == [([0, 1], 2, ()), ([3, 3], 2, ("2.jpg",))]
