"""Pixels kept in a file: what comes back is what was read, and nothing is read twice."""

import multiprocessing
import os
import pickle
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from models.preprocessing import Preprocessing, Resize, resized
from tests.training.pretext.tiny import picture
from training.data.pixel_cache import Caching, PixelCache

SPEC = Preprocessing(size=32, mean=(0, 0, 0), std=(1, 1, 1))
ENTRY = 32 * 32 * 3  # bytes


def cache(folder: Path, *, samples: int = 3, gib: float = 1.0) -> PixelCache:
    return Caching(folder, gib).of(SPEC, samples)


def forbidden() -> Image.Image:
    raise AssertionError("it was read again")


def test_a_second_reading_is_of_the_kept_pixels(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    for number in range(3):
        first = kept.image(number, partial(picture, number))
        assert first.tobytes() == resized(picture(number), SPEC).tobytes()
    for number in range(3):
        again = kept.image(number, forbidden)
        assert (again.size, again.mode) == ((32, 32), "RGB")
        assert again.tobytes() == resized(picture(number), SPEC).tobytes()


def test_an_image_that_cannot_be_read_is_not_kept(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    with pytest.raises(AssertionError):
        kept.image(1, forbidden)
    assert kept.image(1, lambda: picture(1)).tobytes() == resized(picture(1), SPEC).tobytes()


def test_what_does_not_fit_is_read_each_time(tmp_path: Path) -> None:
    kept = cache(tmp_path, gib=2.5 * ENTRY / 2**30)
    for number in range(3):
        kept.image(number, lambda: picture(0))
    kept.image(1, forbidden)
    assert kept.image(2, lambda: picture(7)) == picture(7)


@pytest.mark.parametrize("gib", [0.0, 0.5 * ENTRY / 2**30])
def test_without_room_every_image_is_read(tmp_path: Path, gib: float) -> None:
    kept = cache(tmp_path, gib=gib)
    assert [kept.image(0, partial(picture, n)) == picture(n) for n in (1, 2)] == [True, True]


def test_an_image_that_resizing_again_would_change_is_not_kept(tmp_path: Path) -> None:
    centre = Preprocessing(
        size=32, resize=Resize.SHORTER_SIDE, crop=28, mean=(0, 0, 0), std=(1, 1, 1)
    )
    kept = Caching(tmp_path, 1.0).of(centre, 1)
    assert [kept.image(0, partial(picture, n)) == picture(n) for n in (1, 2)] == [True, True]


def test_processes_that_were_forked_share_it(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    child = multiprocessing.get_context("fork").Process(
        target=kept.image, args=(2, lambda: picture(2))
    )
    child.start()
    child.join()
    assert kept.image(2, forbidden).tobytes() == resized(picture(2), SPEC).tobytes()


def test_one_that_travels_to_another_process_reads_all_itself(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    kept.image(0, lambda: picture(0))
    other: PixelCache = pickle.loads(pickle.dumps(kept))
    assert other.image(0, lambda: picture(1)) == picture(1)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_where_the_disk_takes_no_more_images_are_read_again(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    with largest_file(ENTRY + ENTRY // 2):
        for number in range(3):
            kept.image(number, partial(picture, number))
    kept.image(0, forbidden)
    for number in (1, 2):
        assert kept.image(number, lambda: picture(9)).tobytes() == (
            resized(picture(9), SPEC).tobytes()
        )


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    kept.image(0, lambda: picture(0))
    assert os.listdir(tmp_path) == []
