"""How a worker's main process tells its children that they are to stop.

A pipe that nothing is ever written to: the children see its end once the main process closes it.
A child that gets SIGTERM itself, since its whole group did, stops likewise.
"""

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_LOOK_EVERY_S = 0.2


class Stopping:
    """Made before the children are forked; each side then calls its own methods."""

    def __init__(self) -> None:
        self._ear, self._mouth = os.pipe()
        self._was_signalled = False

    def tell(self) -> None:
        """In the main process: stop; calling it again does nothing."""
        if self._mouth >= 0:
            os.close(self._mouth)
            self._mouth = -1

    def listen(self) -> None:
        """In a new child: its copy of the writing end would keep the pipe open."""
        self.tell()

    @contextmanager
    def watched(self) -> Iterator[threading.Event]:
        """In a child's main thread: an event that is set once its work is to stop.

        SIGTERM has its usual effect, the child's end, only when the work has ended.
        """
        stop, done = threading.Event(), threading.Event()
        if self._is_told(within_s=0):
            stop.set()
        watcher = threading.Thread(target=self._watch, args=(stop, done), daemon=True)
        usual = signal.signal(signal.SIGTERM, self._on_signal)
        watcher.start()
        try:
            yield stop
        finally:
            done.set()
            watcher.join()
            signal.signal(signal.SIGTERM, usual)
        if self._was_signalled:
            signal.raise_signal(signal.SIGTERM)

    def _watch(self, stop: threading.Event, done: threading.Event) -> None:
        while not done.is_set():
            if self._is_told(within_s=_LOOK_EVERY_S) or self._was_signalled:
                stop.set()
                return

    def _is_told(self, *, within_s: float) -> bool:
        """Whether the main process has closed its end of the pipe."""
        ended, _, _ = select.select([self._ear], [], [], within_s)
        return bool(ended)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Only noted: to take an event's lock in a signal handler could wait for ever."""
        self._was_signalled = True
