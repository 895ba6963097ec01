"""Being told to end, by Ctrl-C or by a service manager."""

import signal
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Counts SIGINT, SIGTERM and SIGHUP: the first asks to stop, a second to hurry."""

    def __init__(self) -> None:
        self._count = 0
        for number in _NUMBERS:
            signal.signal(number, self._note)

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        return self._count > 0

    @property
    def hurried(self) -> bool:
        """Whether to stop without waiting for anybody."""
        return self._count > 1

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._count += 1
