"""The images of a request: one tensor, pre-processed or encoded."""

import math

from app.errors import EmptyImage, InvalidTensor, TooManyImages
from app.inference_protocol import tensors
from app.inference_protocol.body import Body
from app.inference_protocol.documents import Datatype, InputTensor
from app.inference_protocol.tensors import Floats
from app.uploads import Upload
from models.manifest import INPUT_NAME
from models.preprocessing import Preprocessing

ENCODED_NAME = "encoded_image"
"""Name of the tensor that holds images as the bytes of their files."""

_MANY = -1

Images = list[Upload] | list[Floats]
"""Encoded, or pre-processed 3,H,W."""


def images(body: Body, spec: Preprocessing, *, most: int) -> Images:
    """The images for a model of `spec`, `most` or fewer; raises InvalidTensor, TooManyImages."""
    tensor, raw = body.request.inputs[0], body.raw[0]
    if len(body.request.inputs) > 1:
        names = ", ".join(repr(each.name) for each in body.request.inputs[:5])
        raise InvalidTensor(f"expected one input, {_choice()}; got {names}")
    _demand_shape(tensor, spec, most=most)
    try:
        if tensor.datatype == Datatype.FP32:
            return _pixels(tensor, raw)
        return _uploads(tensor, raw)
    except InvalidTensor as error:
        raise InvalidTensor(f"input {tensor.name!r}: {error.detail}") from error


def _demand_shape(tensor: InputTensor, spec: Preprocessing, *, most: int) -> None:
    """The shape counts before any data are looked at."""
    behind = {
        (INPUT_NAME, "FP32"): [list(spec.input_shape)],
        (ENCODED_NAME, "BYTES"): [[], [1]],
        (INPUT_NAME, "BYTES"): [[], [1]],
    }.get((tensor.name, tensor.datatype))
    if behind is None:
        given = f"{tensor.name[:64]!r} of {tensor.datatype[:16]}"
        raise InvalidTensor(f"there is no input {given}; expected {_choice()}")
    if tensor.shape[1:] not in behind or not tensor.shape or not tensor.shape[0]:
        expected = " or ".join(str([_MANY, *sizes]) for sizes in behind)
        raise InvalidTensor(
            f"input {tensor.name!r} has shape {tensor.shape[:8]}, expected {expected}"
        )
    if tensor.shape[0] > most:
        raise TooManyImages(
            f"{tensor.shape[0]} images were given; the limit is {most} a request, spread them "
            "over several"
        )


def _choice() -> str:
    return (
        f"either {INPUT_NAME!r} (FP32, pre-processed images) or {ENCODED_NAME!r} (BYTES, the "
        "bytes of image files)"
    )


def _pixels(tensor: InputTensor, raw: memoryview | None) -> list[Floats]:
    if raw is not None:
        return list(tensors.floats_from_bytes(raw, tensor.shape))
    return list(tensors.floats_from_json(tensor.data or [], tensor.shape))


def _uploads(tensor: InputTensor, raw: memoryview | None) -> list[Upload]:
    count = math.prod(tensor.shape)
    if raw is not None:
        found = tensors.strings_from_bytes(raw, count)
    else:
        found = tensors.strings_from_json(tensor.data or [], count)
    return [Upload(None, content or EmptyImage("it has no bytes")) for content in found]
