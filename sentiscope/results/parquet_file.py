"""Answers as Parquet, by pyarrow."""

from pathlib import Path
from typing import Any

from sentiscope.results.columns import Kind, Row, Rows
from sentiscope.service.prediction import Answer

_GROUP = 10_000
"""Rows that are held in memory before they are written."""


class NoPyarrow(Exception):
    """Parquet needs pyarrow."""


class ParquetFile:
    """A row an image; several labels in a cell are a list."""

    def __init__(self, path: Path) -> None:
        """Raises NoPyarrow, and OSError where the file cannot be written."""
        try:
            import pyarrow
            import pyarrow.parquet
        except ModuleNotFoundError as error:
            raise NoPyarrow(
                f"Parquet needs the 'parquet' extra ({error}); install pyarrow, or use --csv"
            ) from error
        self._arrow, self._sink = pyarrow, path.open("wb")
        self._rows = Rows()
        self._held: list[Row] = []
        self._file: Any = None

    def write(self, answer: Answer) -> None:
        """See writer.Writer; raises ModelChanged."""
        self._held += self._rows.of(answer)
        if len(self._held) >= _GROUP:
            self._put()

    def close(self) -> None:
        """See writer.Writer."""
        self._held += self._rows.left()
        self._put()
        self._file.close()
        self._sink.close()

    def _put(self) -> None:
        if self._file is None:
            self._file = self._arrow.parquet.ParquetWriter(self._sink, self._schema())
        table = self._arrow.Table.from_pylist(self._held, schema=self._file.schema)
        self._file.write_table(table)
        self._held = []

    def _schema(self) -> Any:
        arrow = self._arrow
        types = {
            Kind.TEXT: arrow.string(),
            Kind.NUMBER: arrow.float64(),
            Kind.TEXTS: arrow.list_(arrow.string()),
        }
        return arrow.schema([(name, types[kind]) for name, kind in self._rows.kinds.items()])
