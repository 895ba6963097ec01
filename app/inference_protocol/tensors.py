"""Tensors on the wire: numbers and byte strings, in JSON or as they lie in memory."""

import base64
import math
import struct
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import InvalidTensor

_LENGTH = struct.Struct("<I")
_FP32 = np.dtype("<f4")

Floats = NDArray[np.float32]


def floats_from_bytes(raw: memoryview, shape: Sequence[int]) -> Floats:
    """FP32, little-endian, row by row; raises InvalidTensor."""
    wanted = math.prod(shape) * _FP32.itemsize
    if len(raw) != wanted:
        raise InvalidTensor(f"FP32 of shape {list(shape)} has {wanted} bytes, got {len(raw)}")
    # Behind JSON of any length the numbers may lie at any address; a run needs them aligned.
    aligned = np.require(np.frombuffer(raw, _FP32), np.float32, "A")
    return _finite(aligned.reshape(shape))


def floats_from_json(data: Sequence[Any], shape: Sequence[int]) -> Floats:
    """Numbers, flat or nested; raises InvalidTensor."""
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise InvalidTensor("the data are lists of unequal lengths") from error
    if array.dtype.kind not in "iuf":
        raise InvalidTensor("the data of an FP32 tensor are not all numbers")
    if array.size != math.prod(shape):
        raise InvalidTensor(
            f"shape {list(shape)} has {math.prod(shape)} numbers, the data have {array.size}"
        )
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is refused as that
        return _finite(array.astype(np.float32).reshape(shape))


def strings_from_bytes(raw: memoryview, count: int) -> list[bytes]:
    """`count` byte strings, each behind its length in four bytes; raises InvalidTensor."""
    found = list(islice(_strings(raw), count + 1))
    if len(found) != count:
        many = "more" if len(found) > count else f"{len(found)}"
        raise InvalidTensor(f"the shape has {count} elements, the BYTES tensor holds {many}")
    return found


def strings_from_json(data: Sequence[Any], count: int) -> list[bytes]:
    """`count` byte strings in base64, since JSON has none; raises InvalidTensor."""
    flat = list(islice(_flat(data), count + 1))
    if len(flat) != count or not all(isinstance(text, str) for text in flat):
        raise InvalidTensor(f"the shape has {count} elements, the data are not as many strings")
    return [_decoded(text, place) for place, text in enumerate(flat)]


def strings_to_bytes(strings: Sequence[bytes]) -> bytes:
    """The strings, each behind its length."""
    return b"".join(_LENGTH.pack(len(each)) + each for each in strings)


def floats_to_bytes(array: Floats) -> bytes:
    """FP32, little-endian, row by row."""
    return array.astype(_FP32, copy=False).tobytes()


def _finite(array: Floats) -> Floats:
    if not np.isfinite(array).all():
        raise InvalidTensor("the tensor has elements that are not finite numbers")
    return array


def _strings(raw: memoryview) -> Iterator[bytes]:
    start = 0
    while start < len(raw):
        begin = start + _LENGTH.size
        end = begin + (_LENGTH.unpack_from(raw, start)[0] if begin <= len(raw) else 0)
        if max(begin, end) > len(raw):
            raise InvalidTensor("the BYTES tensor ends within an element")
        yield bytes(raw[begin:end])
        start = end


def _flat(data: Sequence[Any]) -> Iterator[Any]:
    """Elements, or those of the lists that are the elements."""
    for each in data:
        if isinstance(each, list):
            yield from each
        else:
            yield each


def _decoded(text: str, place: int) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidTensor(
            f"element {place} is not base64, in which bytes come in JSON: {error}"
        ) from error
