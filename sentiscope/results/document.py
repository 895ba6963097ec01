"""Answers as JSON: an object an image, in a list or a line each."""

import json
from typing import Any, TextIO

from sentiscope.service.prediction import Answer, FailedPrediction


def file_of(answer: Answer) -> str:
    """Its file; bytes of a name that are no text are shown as such."""
    name = answer.source or ""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def document(answer: Answer) -> dict[str, Any]:
    """The answer as the API has it, and which file it is about."""
    if isinstance(answer, FailedPrediction):
        return {"file": file_of(answer), "error": answer.problem.model_dump(exclude_unset=True)}
    found = answer.model_dump(exclude={"source"}, exclude_unset=True)
    return {"file": file_of(answer), **found}


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
