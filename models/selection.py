"""Which of a bundle's graphs runs: the one that was asked for, or the one that is faster here."""

import time
from collections.abc import Callable
from enum import StrEnum
from statistics import median

from models.bundle import Bundle
from models.manifest import Precision
from models.runtime import Provider, Session

_ROUNDS = 5
_WORTH = 1.1
"""INT8 has to be faster by this, so that a measurement's noise does not decide about numbers."""


class Choice(StrEnum):
    """Who says which graph runs."""

    AUTO = "auto"
    """A measurement: INT8 where the bundle has it and this CPU gains from it, else float32."""

    FP32 = "fp32"
    INT8 = "int8"


Timer = Callable[[Session], float]
"""Seconds of one run."""


def time_run(session: Session) -> float:
    """Seconds of one run on one image."""
    began = time.perf_counter()
    session.warm_up()
    return time.perf_counter() - began


def open_session(
    bundle: Bundle,
    choice: Choice,
    *,
    provider: Provider,
    threads: int,
    timer: Timer = time_run,
) -> Session:
    """A session of the chosen precision, warmed up; raises what `Session.open` does."""
    if choice is not Choice.AUTO:
        return _warm(bundle, Precision(choice.value), provider=provider, threads=threads)
    session = _warm(bundle, Precision.FP32, provider=provider, threads=threads)
    if provider is not Provider.CPU or bundle.manifest.graph(Precision.INT8) is None:
        return session
    small = _warm(bundle, Precision.INT8, provider=provider, threads=threads)
    return small if speedup(session, small, timer=timer) >= _WORTH else session


def speedup(slow: Session, fast: Session, *, timer: Timer = time_run) -> float:
    """How many times faster `fast` runs than `slow`, taken in turn so that both meet the same."""
    pairs = [(timer(slow), timer(fast)) for _ in range(_ROUNDS)]
    return median(pair[0] for pair in pairs) / median(pair[1] for pair in pairs)


def _warm(bundle: Bundle, precision: Precision, *, provider: Provider, threads: int) -> Session:
    session = Session.open(bundle, precision=precision, provider=provider, threads=threads)
    session.warm_up()
    return session
