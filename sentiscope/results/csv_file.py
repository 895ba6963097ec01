"""Answers as CSV."""

import csv
from typing import Any, TextIO

from sentiscope.results.columns import Cell, Row, Rows
from sentiscope.service.prediction import Answer


class CsvFile:
    """A row an image below a row of names; several labels in a cell are joined by '|'."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._rows = Rows()
        self._writer: Any = None

    def write(self, answer: Answer) -> None:
        """See writer.Writer; raises ModelChanged."""
        self._put(self._rows.of(answer))

    def close(self) -> None:
        """See writer.Writer."""
        self._put(self._rows.left())

    def _put(self, rows: list[Row]) -> None:
        if rows and self._writer is None:
            self._writer = csv.DictWriter(self._out, tuple(self._rows.kinds), lineterminator="\n")
            self._writer.writeheader()
        for row in rows:
            self._writer.writerow({name: _text(cell) for name, cell in row.items()})
        self._out.flush()


def _text(cell: Cell) -> Cell:
    return "|".join(cell) if isinstance(cell, tuple) else cell
