import json
from typing import Any

import pytest

from app.errors import BodyTooLarge, MalformedRequest
from app.inference_protocol.body import parse

BINARY = {"name": "image", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 3}}
PLAIN = {"name": "image", "shape": [1], "datatype": "BYTES", "data": ["QQ=="]}


def _json(*inputs: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"inputs": list(inputs), **more}).encode()


def test_json_alone_is_all_of_the_body() -> None:
    found = parse(_json(PLAIN, id="7"), None)
    assert found.request.id == "7"
    assert found.raw == (None,)


def test_bytes_behind_the_json_go_to_the_inputs_in_their_order() -> None:
    header = _json(BINARY, PLAIN, {**BINARY, "parameters": {"binary_data_size": 1}})
    raw = parse(header + b"abcd", str(len(header))).raw
    assert [part and bytes(part) for part in raw] == [b"abc", None, b"d"]


def test_unknown_fields_are_let_through() -> None:
    header = _json({**PLAIN, "extra": 1}, parameters={"priority": 1}, extra=True)
    assert parse(header, None).request.inputs[0].name == "image"


@pytest.mark.parametrize("length", ["", "-1", "1.5", "x", "9" * 5000, "٣"])
def test_header_length_that_is_none_is_refused(length: str) -> None:
    with pytest.raises(MalformedRequest, match="Inference-Header-Content-Length"):
        parse(_json(PLAIN), length)


@pytest.mark.parametrize(
    ("header", "rest", "said"),
    [
        (b"", b"", "empty"),
        (b"{", b"", "JSON"),
        (b"[]", b"", "object"),
        (b"{}", b"", "inputs"),
        (b'{"inputs": []}', b"", "at least 1"),
        (_json({"name": "image"}), b"", "inputs.0.shape"),
        (_json({**PLAIN, "shape": [-1]}), b"", "inputs.0.shape.0"),
        (_json({**PLAIN, "shape": ["1"]}), b"", "inputs.0.shape.0"),
        (_json({**PLAIN, "parameters": {"binary_data_size": 1}}), b"a", "either"),
        (_json({**PLAIN, "data": None}), b"", "either"),
        (_json(BINARY), b"ab", "3 bytes behind the JSON, where 2 are left"),
        (_json(BINARY), b"abcd", "1 bytes at the body's end belong to no input"),
        (_json(PLAIN, outputs=[{"name": "single", "parameters": {"binary_data": 1}}]), b"", "bool"),
    ],
)
def test_body_that_is_not_as_the_protocol_has_it_is_refused(
    header: bytes, rest: bytes, said: str
) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(header + rest, str(len(header)))
    assert said in caught.value.detail


def test_a_flood_of_numbers_is_refused_before_it_is_parsed() -> None:
    header = b'{"inputs": [{"name": "image", "shape": [1], "datatype": "FP32", "data": ['
    with pytest.raises(BodyTooLarge, match="binary"):
        parse(header + b"0," * 1_000_001 + b"0]}]}", None)
