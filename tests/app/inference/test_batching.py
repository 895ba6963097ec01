import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.inference.batching import Batcher, Pixels
from models.bundle import Bundle
from models.runtime import Arrays, Session
from tests.tiny_bundle import write_tiny_bundle

FOREVER_S = 1000.0


class Device:
    """Doubles images; each run tells that it has begun, and ends when it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.names: list[tuple[str, ...]] = []
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)

    def run(self, images: Pixels, names: Sequence[str]) -> Arrays:
        self.batches.append(images.ravel().tolist())
        self.names.append(tuple(names))
        self.begun.release()
        assert self.go_on.acquire(timeout=20)
        return dict.fromkeys(names, 2 * images)

    def wait_for_run(self) -> None:
        assert self.begun.acquire(timeout=20)

    def let_go(self, runs: int = 1) -> None:
        self.go_on.release(runs)


@pytest.fixture
def device() -> Device:
    return Device()


def _batcher(device: Device, *, size: int = 4, age_s: float = FOREVER_S) -> Batcher:
    return Batcher(device.run, size=size, age_s=age_s)


def _ask(batcher: Batcher, value: float, *names: str) -> "Future[Arrays]":
    return batcher.submit(np.full((1, 1, 1), value, np.float32), names or ("y",))


def _value(future: "Future[Arrays]") -> float:
    return float(future.result(20)["y"].item())


def test_an_idle_device_begins_at_once_and_gathers_while_it_is_busy(device: Device) -> None:
    batcher = _batcher(device)
    first = _ask(batcher, 1)
    device.wait_for_run()
    others = [_ask(batcher, value) for value in (2, 3, 4)]
    assert device.batches == [[1]]
    device.let_go()
    device.wait_for_run()
    device.let_go()
    assert [_value(future) for future in (first, *others)] == [2, 4, 6, 8]
    assert device.batches == [[1], [2, 3, 4]]


def test_a_full_batch_goes_beside_the_one_that_runs(device: Device) -> None:
    batcher = _batcher(device, size=2)
    futures = [_ask(batcher, 1)]
    device.wait_for_run()
    futures += [_ask(batcher, value) for value in (2, 3)]
    device.wait_for_run()
    assert device.batches == [[1], [2, 3]]
    device.let_go(2)
    assert [_value(future) for future in futures] == [2, 4, 6]


def test_an_image_that_waited_long_enough_goes_beside_the_one_that_runs(device: Device) -> None:
    batcher = _batcher(device, age_s=0)
    futures = [_ask(batcher, 1)]
    device.wait_for_run()
    futures.append(_ask(batcher, 2))
    device.wait_for_run()
    assert device.batches == [[1], [2]]
    device.let_go(2)
    assert [_value(future) for future in futures] == [2, 4]


def test_no_batch_is_larger_than_its_size(device: Device) -> None:
    batcher = _batcher(device, size=2)
    device.let_go(9)
    futures = [_ask(batcher, value) for value in range(9)]
    assert [_value(future) for future in futures] == [2 * value for value in range(9)]
    assert max(map(len, device.batches)) <= 2
    assert sorted(value for batch in device.batches for value in batch) == list(range(9))


def test_each_image_gets_the_outputs_it_asked_for(device: Device) -> None:
    batcher = _batcher(device)
    first = _ask(batcher, 0)
    device.wait_for_run()
    others = [_ask(batcher, 1, "a", "b"), _ask(batcher, 2, "b", "c")]
    device.let_go(2)
    first.result(20)
    assert [tuple(future.result(20)) for future in others] == [("a", "b"), ("b", "c")]
    assert device.names[1] == ("a", "b", "c")


def test_an_error_of_a_batch_is_that_of_each_image_and_the_next_goes_on() -> None:
    def run(images: Pixels, names: Sequence[str]) -> Arrays:
        if images.max() > 1:
            raise ZeroDivisionError
        return dict.fromkeys(names, images)

    batcher = Batcher(run, size=4, age_s=0)
    with pytest.raises(ZeroDivisionError):
        batcher.run(np.full((1, 1, 1), 2, np.float32), ["y"])
    assert batcher.run(np.ones((1, 1, 1), np.float32), ["y"])["y"].item() == 1
    batcher.close()


def test_a_closed_batcher_finishes_what_waits_and_runs_what_still_comes_alone(
    device: Device,
) -> None:
    batcher = _batcher(device)
    futures = [_ask(batcher, 1)]
    device.wait_for_run()
    futures.append(_ask(batcher, 2))
    batcher.close()
    device.let_go(3)
    assert [_value(future) for future in futures] == [2, 4]
    image = np.full((1, 1, 1), 3, np.float32)
    assert batcher.run(image, ["y"])["y"].item() == 6


def test_batches_of_a_model_have_the_numbers_of_single_images(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "1")
    session = Session.open(Bundle.open(tmp_path / "1"), threads=1)
    batcher = Batcher(session.run, size=8, age_s=0.001)
    images = np.random.default_rng(3).random((100, 3, 16, 16), dtype=np.float32)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda image: batcher.run(image, ["single", "multi_map"]), images))
    batcher.close()
    for name in ("single", "multi_map"):
        expected = session.run(images, [name])[name]
        np.testing.assert_allclose(np.stack([each[name] for each in found]), expected, atol=1e-6)
