"""Rows of a text table that remember their file and line, so that an error can name them."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from training.errors import TrainingError


class BadRow(TrainingError):
    """A row of a table does not say what it should."""

    @classmethod
    def at(cls, file: str, line: int, *, given: str, expected: str, unit: str = "line") -> Self:
        """The error for `line` of `file`; a file without lines counts in another unit."""
        return cls(f"{file}, {unit} {line}: given {given}; expected {expected}")


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by column; a cell of a CSV file is text, of a JSON line any JSON value."""

    file: str
    line: int
    cells: Mapping[str, object]
    unit: str = "line"

    def bad(self, *, given: str, expected: str) -> BadRow:
        """The error that says this row is wrong."""
        return BadRow.at(self.file, self.line, given=given, expected=expected, unit=self.unit)

    def has(self, column: str) -> bool:
        """Whether the cell is there and filled."""
        return self.cells.get(column) not in (None, "")

    def text(self, column: str) -> str:
        """The cell as text that is not blank."""
        value = self.cells.get(column)
        if not isinstance(value, str) or not value.strip():
            raise self.bad(given=f"{value!r} for {column}", expected="text")
        return value.strip()

    def name(self, column: str) -> str:
        """The cell as a name: text, or the whole number that a class is called by."""
        value = self.cells.get(column)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(column)

    def number(self, column: str) -> float:
        """The cell as a finite number of at least 0."""
        value = self.cells.get(column)
        try:
            number = float(value) if isinstance(value, str | int | float) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number) or number < 0:
            raise self.bad(given=f"{value!r} for {column}", expected="a number of at least 0")
        return number

    def count(self, column: str) -> int:
        """The cell as a whole number of at least 0."""
        number = self.number(column)
        if number != int(number):
            given = f"{self.cells.get(column)!r} for {column}"
            raise self.bad(given=given, expected="a whole number")
        return int(number)

    def texts(self, column: str) -> tuple[str, ...]:
        """The cell as distinct texts: a list, a JSON list as text, or texts joined by '|'."""
        value = self.cells.get(column)
        items = _split(value) if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(i, str) and i.strip() for i in items):
            raise self.bad(given=f"{value!r} for {column}", expected='a list such as ["joy"]')
        texts = tuple(item.strip() for item in items)
        if len(set(texts)) != len(texts):
            raise self.bad(given=f"{value!r} for {column}", expected="each name once")
        return texts


def _split(cell: str) -> object:
    if not cell.lstrip().startswith("["):
        return cell.split("|")
    try:
        return json.loads(cell)
    except ValueError:
        return None


def decoded(content: bytes, file: str) -> str:
    """The text of a file in UTF-8; a byte order mark goes."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        given = f"byte 0x{content[error.start]:02x}"
        raise BadRow.at(file, line, given=given, expected="UTF-8 text: save it as UTF-8") from error


def check_columns(rows: Iterable[Row], needed: Iterable[str], *, file: str) -> None:
    """Every needed column is in some row; in a CSV file every row has them all."""
    columns = list(dict.fromkeys(column for row in rows for column in row.cells))
    missing = [column for column in needed if column not in columns]
    if missing:
        given = f"columns {', '.join(columns)}" if columns else "no row"
        raise BadRow.at(file, 1, given=given, expected=f"also {', '.join(missing)}")


def check_distinct(rows: Iterable[Row], key: Callable[[Row], str]) -> None:
    """No two rows are about the same thing."""
    lines: dict[str, int] = {}
    for row in rows:
        first = lines.setdefault(key(row), row.line)
        if first != row.line:
            raise row.bad(
                given=f"{key(row)!r} again", expected=f"it once; it is on {row.unit} {first}"
            )


def delimited_rows(
    content: bytes,
    *,
    file: str,
    delimiter: str = ",",
    quote: str | None = '"',
    columns: Sequence[str] | None = None,
    unnamed: str = "",
) -> tuple[Row, ...]:
    """The rows of a delimited text file; a byte order mark and blank lines go.

    The header is the first line of the file, or `columns` where the file has none; a column whose
    name is left empty there is called `unnamed`.
    """
    text = io.StringIO(decoded(content, file), newline="")
    reader = csv.reader(
        text,
        delimiter=delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if cells]
    except csv.Error as error:
        expected = f"cells separated by {delimiter!r}"
        raise BadRow.at(file, reader.line_num, given=str(error), expected=expected) from error
    if columns is None:
        columns, lines = _header(lines, file, unnamed), lines[1:]
    return tuple(_row(cells, columns, file=file, line=line) for line, cells in lines)


def _header(lines: Sequence[tuple[int, list[str]]], file: str, unnamed: str) -> list[str]:
    header = [name or unnamed for name in lines[0][1]] if lines else []
    if not header or not all(header) or len(set(header)) != len(header):
        raise BadRow.at(
            file, 1, given=f"header {header}", expected="a name of its own for every column"
        )
    return header


def _row(cells: list[str], header: Sequence[str], *, file: str, line: int) -> Row:
    if len(cells) != len(header):
        expected = f"{len(header)}: {', '.join(header)}"
        raise BadRow.at(file, line, given=f"{len(cells)} cells", expected=expected)
    return Row(file, line, dict(zip(header, cells, strict=True)))


def json_rows(content: bytes, *, file: str) -> tuple[Row, ...]:
    """The rows of a file with one JSON object a line; blank lines go."""
    lines = enumerate(decoded(content, file).split("\n"), start=1)
    return tuple(_json_row(text, file, line) for line, text in lines if text.strip())


def _json_row(text: str, file: str, line: int) -> Row:
    try:
        cells = json.loads(text)
    except ValueError as error:
        raise BadRow.at(file, line, given=str(error), expected="one JSON object a line") from error
    if not isinstance(cells, dict):
        raise BadRow.at(file, line, given=text[:60], expected="one JSON object a line")
    return Row(file, line, cells)


def json_array_rows(content: bytes, *, file: str, columns: Sequence[str]) -> tuple[Row, ...]:
    """The rows of one JSON array of arrays, numbered from 1; items beyond the `columns` go."""
    try:
        rows = json.loads(decoded(content, file))
    except json.JSONDecodeError as error:
        raise BadRow.at(file, error.lineno, given=error.msg, expected="a JSON array") from error
    if not isinstance(rows, list):
        raise BadRow.at(file, 1, given=type(rows).__name__, expected="a JSON array of arrays")
    return tuple(_array_row(row, columns, file, n) for n, row in enumerate(rows, start=1))


def _array_row(items: object, columns: Sequence[str], file: str, number: int) -> Row:
    if not isinstance(items, list) or len(items) < len(columns):
        given, expected = json.dumps(items)[:60], f"[{', '.join(columns)}]"
        raise BadRow.at(file, number, given=given, expected=expected, unit="row")
    return Row(file, number, dict(zip(columns, items, strict=False)), unit="row")
