"""Where answers go."""

from typing import Protocol

from sentiscope.service.prediction import Answer


class Writer(Protocol):
    """Takes answers as they come."""

    def write(self, answer: Answer) -> None:
        """The next answer."""

    def close(self) -> None:
        """There are no more, be it that somebody stopped: what was written is whole."""
