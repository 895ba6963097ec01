"""Being asked to stop: a signal sets a flag, and the loop stops where nothing is lost."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from training.errors import TrainingError


class Stopped(TrainingError):
    """The run was asked to stop; its last checkpoint is where it will go on."""


class _Interruption(BaseException):
    """Goes through `except Exception`: PyTorch's exporter takes errors for its own and goes on."""


class StopRequest:
    """Whether somebody asked for a stop."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        """Ask for a stop after the current step."""
        self.requested = True


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """SIGTERM and the first Ctrl-C ask for a stop; a second Ctrl-C interrupts at once."""
    request = StopRequest()

    with _on_signals(request.request):
        yield request


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """The same signals raise Stopped at once: for work that has nothing to save."""

    def interrupt() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # let what is half made be removed
        raise _Interruption

    try:
        with _on_signals(interrupt):
            yield
    except _Interruption as interruption:
        raise Stopped("stopped; run the same command again to start over") from interruption


@contextmanager
def _on_signals(act: Callable[[], None]) -> Iterator[None]:
    def handle(signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        act()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
