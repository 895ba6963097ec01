"""The `Server-Timing` header: where the time of an answer went."""

from collections.abc import Sequence
from typing import Any

from app.inference import Done
from app.prediction import Outcome


def server_timing(done: Sequence[Done[Outcome[Any]]]) -> str:
    """Milliseconds; of several images the work is summed, of the queue it is the longest wait."""
    seconds = {
        "decode": sum(each.value.decode_s for each in done),
        "queue": max(each.waited_s for each in done),
        "inference": sum(each.value.inference_s for each in done),
    }
    return ", ".join(f"{name};dur={1000 * value:.2f}" for name, value in seconds.items())
