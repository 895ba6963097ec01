"""Answers as a table for people."""

from collections.abc import Mapping
from typing import TextIO

from sentiscope.results.document import file_of
from sentiscope.service.prediction import Answer, FailedPrediction, Prediction, Single

_SHOWN = 3
_GAP = "  "
_FILE, _ERROR = "FILE", "ERROR"


class Table:
    """A line an image, in columns as wide as needed; for that it is printed in the end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lines: list[Mapping[str, str]] = []

    def write(self, answer: Answer) -> None:
        """See writer.Writer."""
        cells = _error(answer) if isinstance(answer, FailedPrediction) else _cells(answer)
        self._lines.append({_FILE: file_of(answer), **cells})

    def close(self) -> None:
        """See writer.Writer."""
        names = list(dict.fromkeys(name for line in self._lines for name in line))
        columns = [name for name in names if name != _ERROR]
        widths = {name: max(len(line.get(name, "")) for line in self._lines) for name in columns}
        header = {name: name for name in columns}
        for line in (header, *self._lines) if self._lines else ():
            self._out.write(f"{_text(line, widths)}\n")


def _text(line: Mapping[str, str], widths: Mapping[str, int]) -> str:
    """A line whose cells begin where those above do; an error takes all the room there is."""
    shown = (_FILE,) if _ERROR in line else widths
    cells = [f"{line[name]:{max(widths[name], len(name))}}" for name in shown if name in line]
    return _GAP.join((*cells, line.get(_ERROR, ""))).rstrip()


def _error(answer: FailedPrediction) -> dict[str, str]:
    return {_ERROR: f"error: {answer.problem.detail}"}


def _cells(answer: Prediction) -> dict[str, str]:
    found = {}
    if answer.single:
        found["SINGLE"] = _single(answer.single)
    if answer.multi:
        found["MULTI"] = " + ".join(answer.multi.labels) or "none"
    if answer.distribution:
        best = answer.distribution.scores[:_SHOWN]
        found["DISTRIBUTION"] = ", ".join(f"{each.label} {each.score:.2f}" for each in best)
    return found


def _single(single: Single) -> str:
    best = f"{single.label} {single.score:.2f}"
    chosen = single.set
    return best if chosen is None else f"{best} ({chosen.coverage:.0%}: {', '.join(chosen.labels)})"
