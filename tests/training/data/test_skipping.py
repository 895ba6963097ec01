"""Training goes on past an image that cannot be read, and says so."""

import pytest
from torch.utils.data import Dataset

from tests.training.generated import FORKS
from training.data.decoding import UnreadableImage
from training.data.labelled import Draw
from training.data.loading import InOrder, batches, deliver
from training.data.skipping import SkipsUnreadable


class Numbers(Dataset[int]):
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


@FORKS
@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_in_a_loaders_process_is_raised_with_its_own_words_alone(workers: int) -> None:
    found = iter(batches(Numbers(6, broken={2}), InOrder(6, 2), list, workers=workers))
    assert next(found) == [0, 1]
    with pytest.raises(UnreadableImage) as caught:
        next(found)
    assert str(caught.value) == "2.jpg"


@FORKS
def test_too_many_broken_images_in_a_row_are_told_in_one_line() -> None:
    found = deliver(Numbers(40, broken=set(range(40))), InOrder(40, 2), list, workers=1)
    with pytest.raises(UnreadableImage) as caught:
        list(found)
    assert str(caught.value) == "16 images in a row cannot be read: 0.jpg; ..."
