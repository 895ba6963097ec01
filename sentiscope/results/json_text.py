"""Answers as JSON: an object an image, in a list or a line each."""

import json
from typing import TextIO

from sentiscope.results.document import document
from sentiscope.service.prediction import Answer


class JsonList:
    """One JSON document, a list, whole whenever it is closed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._before = "["

    def write(self, answer: Answer) -> None:
        """See writer.Writer."""
        self._out.write(f"{self._before}\n{json.dumps(document(answer))}")
        self._before = ","

    def close(self) -> None:
        """See writer.Writer."""
        self._out.write("[]\n" if self._before == "[" else "\n]\n")


class JsonLines:
    """A line an image."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, answer: Answer) -> None:
        """See writer.Writer."""
        self._out.write(f"{json.dumps(document(answer))}\n")
        self._out.flush()

    def close(self) -> None:
        """See writer.Writer."""
