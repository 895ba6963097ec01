"""Where the time of an answer went: the `Server-Timing` header, and the same as metrics."""

from collections.abc import Sequence
from typing import Any

from app import problems
from app.errors import RequestError
from app.inference.task import Done
from app.metrics import Metrics
from app.prediction import Outcome


def server_timing(done: Sequence[Done[Outcome[Any]]], *, fetch_s: float = 0.0) -> str:
    """Milliseconds; of several images the work is summed, of the queue it is the longest wait.

    `fetch_s` is told where images were fetched.
    """
    seconds = {"fetch": fetch_s} if fetch_s else {}
    seconds |= {
        "decode": sum(each.value.decode_s for each in done),
        "queue": max(each.waited_s for each in done),
        "inference": sum(each.value.inference_s for each in done),
    }
    return ", ".join(f"{name};dur={1000 * value:.2f}" for name, value in seconds.items())


def count(done: Sequence[Done[Outcome[Any]]], metrics: Metrics) -> None:
    """Add each image's stages, and why an image was refused, to the metrics."""
    for each in done:
        outcome = each.value
        metrics.stages["queue"].observe(each.waited_s)
        metrics.stages["decode"].observe(outcome.decode_s)
        metrics.stages["inference"].observe(outcome.inference_s)
        if isinstance(outcome.answer, RequestError):
            metrics.refused.labels(problems.reason(type(outcome.answer))).inc()
