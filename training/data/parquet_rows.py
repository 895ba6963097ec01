"""Rows of a Parquet file, by pyarrow: an extra, since no other table of a data set needs it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from training.config.importing import MAX_FILE_BYTES
from training.data.rows import BadRow, Row
from training.errors import TrainingError

_ROW = "row"
_BATCH = 1000
_FEATURES = b"huggingface"
"""Where the Hugging Face library keeps what the columns mean."""


class NoPyarrow(TrainingError):
    """Parquet files are read by pyarrow."""


def parquet_rows(content: bytes, *, file: str, max_bytes: int = MAX_FILE_BYTES) -> tuple[Row, ...]:
    """The rows of a Parquet file, numbered from 1; raises NoPyarrow.

    Where the file says which names the numbers of a column stand for, the cells have the names.
    """
    try:
        from pyarrow import ArrowException, parquet
    except ModuleNotFoundError as error:
        raise NoPyarrow(
            f"{file} is read with the 'parquet' extra ({error}); install pyarrow, or convert the "
            "file to CSV or JSON lines"
        ) from error
    try:
        opened = parquet.ParquetFile(BytesIO(content))
        classes = _classes(opened.schema_arrow.metadata or {})
        cells = enumerate(_cells(opened, file, max_bytes), start=1)
        return tuple(Row(file, at, _named(row, classes, file, at), unit=_ROW) for at, row in cells)
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        given = str(error).splitlines()[0][:200]
        raise BadRow.at(file, 1, given=given, expected="a Parquet file", unit=_ROW) from error


def _cells(opened: Any, file: str, max_bytes: int) -> Iterator[dict[str, Any]]:
    """Row by row; a small file may hold very much."""
    held = 0
    for batch in opened.iter_batches(batch_size=_BATCH):
        held += batch.nbytes
        if held > max_bytes:
            given, expected = f"{held} bytes up to here", f"at most {max_bytes} in all rows"
            raise BadRow.at(file, 1, given=given, expected=expected, unit=_ROW)
        yield from batch.to_pylist()


def _classes(metadata: Mapping[bytes, bytes]) -> dict[str, Sequence[str]]:
    """Names of the classes of each column that has some; none where nothing is said of it."""
    try:
        features = json.loads(metadata.get(_FEATURES, b"{}"))["info"]["features"]
        return {
            column: tuple(map(str, feature["names"]))
            for column, feature in features.items()
            if feature.get("_type") == "ClassLabel"
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _named(
    cells: Mapping[str, Any], classes: Mapping[str, Sequence[str]], file: str, at: int
) -> dict[str, Any]:
    return {
        column: _name(value, classes[column], file, at) if column in classes else value
        for column, value in cells.items()
    }


def _name(value: Any, names: Sequence[str], file: str, at: int) -> str | None:
    """What a class is called; -1 is the library's sign for an image without one."""
    if value is None or value == -1:
        return None
    if not isinstance(value, int) or not 0 <= value < len(names):
        expected = f"a number of one of {len(names)} classes"
        raise BadRow.at(file, at, given=f"class {value!r}", expected=expected, unit=_ROW)
    return names[value]
