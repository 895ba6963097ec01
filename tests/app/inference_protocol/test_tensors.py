import base64
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidTensor
from app.inference_protocol.tensors import (
    floats_from_bytes,
    floats_from_json,
    floats_to_bytes,
    strings_from_bytes,
    strings_from_json,
    strings_to_bytes,
)


def test_numbers_lie_row_by_row_with_the_lowest_byte_first() -> None:
    raw = struct.pack("<6f", *range(6))
    np.testing.assert_array_equal(
        floats_from_bytes(memoryview(raw), [2, 3]), [[0, 1, 2], [3, 4, 5]]
    )
    assert floats_to_bytes(np.arange(6, dtype=np.float32).reshape(2, 3)) == raw


@pytest.mark.parametrize("offset", range(8))
def test_numbers_may_begin_at_any_address(offset: int) -> None:
    raw = memoryview(bytes(offset) + struct.pack("<2f", 1, 2))[offset:]
    found = floats_from_bytes(raw, [2])
    assert found.tolist() == [1, 2]
    assert found.flags.aligned


@pytest.mark.parametrize("data", [[1, 2.5, 3, 4], [[1, 2.5], [3, 4]], [[[1], [2.5]], [[3], [4]]]])
def test_numbers_in_json_are_flat_or_nested(data: list[object]) -> None:
    assert floats_from_json(data, [2, 2]).tolist() == [[1, 2.5], [3, 4]]


@pytest.mark.parametrize(
    "data",
    [
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [],
        [[1, 2], [3]],
        ["1", "2", "3", "4"],
        [True, False, True, True],
        [None, 1, 2, 3],
        [1, 2, 3, {}],
        [1, 2, 3, 10**400],
        [1, 2, 3, 1e39],
        [1, 2, 3, math.nan],
        [1, 2, 3, math.inf],
    ],
    ids=str,
)
def test_data_that_are_not_as_many_numbers_as_the_shape_has_are_refused(data: list[object]) -> None:
    with pytest.raises(InvalidTensor):
        floats_from_json(data, [2, 2])


@pytest.mark.parametrize(
    "raw", [b"", bytes(4), bytes(15), bytes(17), struct.pack("<4f", *[math.nan] * 4)]
)
def test_raw_numbers_that_do_not_fit_the_shape_or_are_none_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidTensor):
        floats_from_bytes(memoryview(raw), [2, 2])


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_byte_strings_come_back_as_they_went(strings: list[bytes]) -> None:
    raw = memoryview(strings_to_bytes(strings))
    assert strings_from_bytes(raw, len(strings)) == strings
    texts = [base64.b64encode(each).decode() for each in strings]
    assert strings_from_json(texts, len(strings)) == strings
    assert strings_from_json([[text] for text in texts], len(strings)) == strings


@pytest.mark.parametrize("count", [0, 1, 3, 2**40])
def test_another_number_of_byte_strings_than_the_shape_has_is_refused(count: int) -> None:
    with pytest.raises(InvalidTensor, match=f"{count} elements"):
        strings_from_bytes(memoryview(strings_to_bytes([b"a", b"b"])), count)
    with pytest.raises(InvalidTensor, match=f"{count} elements"):
        strings_from_json(["QQ==", "QQ=="], count)


@pytest.mark.parametrize("raw", [b"\1", b"\1\0\0\0", b"\2\0\0\0a", b"\xff\xff\xff\xffa"])
def test_byte_string_that_is_cut_off_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidTensor, match="ends within"):
        strings_from_bytes(memoryview(raw), 1)


@pytest.mark.parametrize("data", [[1], [None], [["QQ==", 1]], ["!"], ["QQ"], [[["QQ=="]]]], ids=str)
def test_byte_strings_that_are_not_base64_are_refused(data: list[object]) -> None:
    with pytest.raises(InvalidTensor):
        strings_from_json(data, len(data))
