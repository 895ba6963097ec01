"""A request's body: JSON, and behind it the tensors that come as they lie in memory."""

from dataclasses import dataclass

from pydantic import ValidationError

from app.errors import BodyTooLarge, MalformedRequest
from app.inference_protocol.documents import InferenceRequest

HEADER_LENGTH = "Inference-Header-Content-Length"
"""Header with the number of bytes that are JSON, where more follow."""

_MOST_MARKS = 1_000_000
"""Elements and lists in the JSON of one request: some 30 MB as objects."""


@dataclass(frozen=True, slots=True)
class Body:
    """The parsed JSON, and for each input the bytes that belong to it, if any."""

    request: InferenceRequest
    raw: tuple[memoryview | None, ...]


def parse(content: bytes, header_length: str | None) -> Body:
    """The parts of a body; raises MalformedRequest, and BodyTooLarge for a flood of numbers."""
    whole = memoryview(content)
    length = _length(header_length, most=len(whole))
    request = _document(bytes(whole[:length]))
    return Body(request, _split(request, whole[length:]))


def _length(given: str | None, *, most: int) -> int:
    if given is None:
        return most
    if not given.isascii() or not given.isdigit() or int(given[:20]) > most:
        raise MalformedRequest(
            f"{HEADER_LENGTH} is {given[:40]!r}, expected the number of bytes of the JSON, "
            f"of {most} in the body"
        )
    return int(given)


def _document(json: bytes) -> InferenceRequest:
    if not json:
        raise MalformedRequest("the body is empty, expected JSON")
    if sum(map(json.count, (b"{", b"[", b","))) > _MOST_MARKS:
        raise BodyTooLarge(
            f"the JSON has more than {_MOST_MARKS:,} elements; send tensors of that size as "
            "binary data behind the JSON"
        )
    try:
        return InferenceRequest.model_validate_json(json)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:3])
        raise MalformedRequest(f"the JSON is not an inference request: {said}") from error


def _split(request: InferenceRequest, rest: memoryview) -> tuple[memoryview | None, ...]:
    """The bytes behind the JSON, cut as the inputs say, in their order."""
    parts: list[memoryview | None] = []
    for tensor in request.inputs:
        size = tensor.parameters.binary_data_size
        if (size is None) == (tensor.data is None):
            raise MalformedRequest(
                f"input {tensor.name!r} needs either 'data' or the parameter 'binary_data_size'"
            )
        if size is not None and size > len(rest):
            raise MalformedRequest(
                f"input {tensor.name!r} is said to have {size} bytes behind the JSON, "
                f"where {len(rest)} are left"
            )
        parts.append(None if size is None else rest[:size])
        rest = rest[size or 0 :]
    if len(rest):
        raise MalformedRequest(f"{len(rest)} bytes at the body's end belong to no input")
    return tuple(parts)
