"""The floor: what the machine does without HTTP, in a plain loop on all cores."""

import itertools
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.serving.predictor import Predictor


def floor_rate(
    predict: Predictor, images: Sequence[bytes], *, workers: int, seconds: float
) -> float:
    """Images a second of `workers` threads, each with one run at a time."""
    began = time.perf_counter()

    def work(first: int) -> int:
        turns = itertools.cycle(images[first:] + images[:first])  # type: ignore[operator]
        done = 0
        while time.perf_counter() - began < seconds:
            predict(next(turns))
            done += 1
        return done

    with ThreadPoolExecutor(workers) as pool:
        done = sum(pool.map(work, range(workers)))
    return done / (time.perf_counter() - began)


def floor_latency_ms(predict: Predictor, images: Sequence[bytes], *, seconds: float) -> float:
    """Median milliseconds of one image, one at a time."""
    taken = []
    turns = itertools.cycle(images)
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        since = time.perf_counter()
        predict(next(turns))
        taken.append(time.perf_counter() - since)
    return statistics.median(taken) * 1000
