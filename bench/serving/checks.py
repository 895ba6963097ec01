"""What the figures must show, each as a measured value and its bound."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.serving.contenders import OURS
from bench.serving.summary import Summary
from bench.serving.visit import BUSY, MANY, ONE
from models.manifest import Precision

LEAST_SHARE = {Precision.FP32: 0.88, Precision.INT8: 0.80}
"""Of the floor at 32 clients; the client and HTTP itself cost the rest."""

MOST_ABOVE_FLOOR_MS = 1.5
MOST_TAIL = 4.0
LEAST_GAIN = 1.25
"""Of INT8 over float32, end to end, with the default model."""


@dataclass(frozen=True, slots=True)
class Check:
    """A claim about a measured value."""

    claim: str
    measured: float
    holds: bool

    def __str__(self) -> str:
        return f"{'holds' if self.holds else 'FAILS'}: {self.claim} ({self.measured:.3g})"


def checks(summary: Summary, *, least_gain: float = LEAST_GAIN) -> Iterator[Check]:
    """All that can be said of what was measured; nothing without our own figures."""
    for precision in Precision:
        if (OURS, precision) in summary.keys:
            yield from _of_precision(summary, precision)
    if {(OURS, precision) for precision in Precision} <= set(summary.keys):
        rates = {p: summary.median((OURS, p), MANY, lambda f: f.rate) for p in Precision}
        gain = rates[Precision.INT8] / rates[Precision.FP32]
        yield Check(f"int8 is {least_gain:g} times as fast as fp32", gain, gain >= least_gain)


def _of_precision(summary: Summary, precision: Precision) -> Iterator[Check]:
    key, least = (OURS, precision), LEAST_SHARE[precision]
    share = summary.median(key, MANY, lambda f: f.share)
    yield Check(f"{precision}, 32 clients: >= {least:g} of the floor", share, share >= least)
    for peer in (other for other in summary.keys if other[1] is precision and other[0] != OURS):
        theirs = summary.median(peer, MANY, lambda f: f.share)
        yield Check(f"{precision}, 32 clients: above {peer[0]}", share / theirs, share > theirs)
    above = summary.median(key, ONE, lambda f: f.above_floor_ms)
    yield Check(
        f"{precision}, 1 client: p50 <= floor + {MOST_ABOVE_FLOOR_MS:g} ms",
        above,
        above <= MOST_ABOVE_FLOOR_MS,
    )
    alone = summary.median(key, ONE, lambda f: f.p50_ms)
    tail = summary.median(key, BUSY, lambda f: f.p99_ms) / alone
    yield Check(
        f"{precision}, 80 % of capacity: p99 <= {MOST_TAIL:g} times the unloaded p50",
        tail,
        tail <= MOST_TAIL,
    )
