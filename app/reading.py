"""A request's body as images, in any of its three forms; limits are checked before bytes."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header

from app.errors import (
    BodyTooLarge,
    EmptyImage,
    Fault,
    MalformedRequest,
    RequestTooSlow,
    TooManyImages,
    UnsupportedContentType,
)
from app.parts import ImageParts
from app.schemas import JsonImage, JsonImages
from app.uploads import Link, Upload

Document = TypeVar("Document", bound=BaseModel)
_FORMS = (
    "multipart/form-data with parts named 'image', the bare bytes of one image as image/* or "
    'application/octet-stream, or application/json {"images": [{"base64": "..."}]}'
)
_DEEPEST = 32
"""Levels of a JSON body; what is configured has some seven."""

_MARKS_AN_IMAGE = 16
"""Braces, brackets and commas that one entry of a JSON request may need; an address has some."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may hold, and how long it may take to arrive."""

    max_body_bytes: int
    max_images: int
    timeout_s: float


async def read_uploads(request: Request, limits: Limits) -> Sequence[Upload | Link]:
    """The images of `request`, at least one; raises RequestError."""
    _demand_plain(request)
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    media_type = kind.decode("latin-1")
    read = _READERS.get("image/*" if media_type.startswith("image/") else media_type)
    if read is None:
        given = f"content type {media_type!r}" if media_type else "no content type"
        raise UnsupportedContentType(f"got {given}, expected {_FORMS}")
    return await read(request, parameters, limits=limits)


async def read_bytes(request: Request, limits: Limits) -> bytes:
    """All of the body as it was sent; raises RequestError."""
    _demand_plain(request)
    return await _whole(request, limits)


async def read_json(request: Request, kind: type[Document], *, limits: Limits) -> Document:
    """The body as a document of `kind`; raises MalformedRequest with every fault."""
    return _document(await _whole(request, limits), kind)


async def read_value(request: Request, *, limits: Limits) -> object:
    """The body as JSON of any form; raises MalformedRequest."""
    return json_value(await _whole(request, limits))


def json_value(body: bytes) -> object:
    """What `body` says as JSON; raises MalformedRequest."""
    if not body:
        raise MalformedRequest("the body is empty, expected JSON")
    try:
        value = json.loads(body, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()  # half of a pair of surrogates is no text
    except (ValueError, RecursionError) as error:
        reason = error if isinstance(error, ValueError) else "it is nested too deeply"
        raise MalformedRequest(f"the body is not JSON: {reason}") from error
    if _depth(value) > _DEEPEST:
        raise MalformedRequest(f"the JSON body is nested more than {_DEEPEST} levels deep")
    return value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _depth(value: object) -> int:
    """Levels of lists and mappings, found without recursion."""
    level: list[object] = [value]
    depth = 0
    while level := [
        inner
        for outer in level
        if isinstance(outer, dict | list)
        for inner in (outer.values() if isinstance(outer, dict) else outer)
    ]:
        depth += 1
    return depth


def _demand_plain(request: Request) -> None:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedContentType("a compressed body is not read; send it as it is")


async def _read_parts(
    request: Request, parameters: Mapping[bytes, bytes], *, limits: Limits
) -> list[Upload]:
    boundary = parameters.get(b"boundary")
    if not boundary:
        raise MalformedRequest(
            "the content type multipart/form-data names no boundary; leave that header to the "
            "HTTP library, which sets it for its files"
        )
    parts = ImageParts(boundary, max_images=limits.max_images)
    await _receive(request, limits, parts.feed)
    return parts.uploads()


async def _read_bytes(
    request: Request, parameters: Mapping[bytes, bytes], *, limits: Limits
) -> list[Upload]:
    del parameters
    body = await _whole(request, limits)
    if not body:
        raise EmptyImage("the body is empty; send the bytes of an image")
    return [Upload(None, body)]


async def _read_json(
    request: Request, parameters: Mapping[bytes, bytes], *, limits: Limits
) -> list[Upload | Link]:
    del parameters
    body = await _whole(request, limits)
    return await asyncio.to_thread(_json_images, body, limits)


_READERS: Mapping[str, Callable[..., Awaitable[Sequence[Upload | Link]]]] = {
    "multipart/form-data": _read_parts,
    "application/json": _read_json,
    "application/octet-stream": _read_bytes,
    "image/*": _read_bytes,
}


async def _whole(request: Request, limits: Limits) -> bytes:
    chunks: list[bytes] = []
    await _receive(request, limits, chunks.append)
    return b"".join(chunks)


async def _receive(request: Request, limits: Limits, take: Callable[[bytes], None]) -> None:
    """Have `take` called with each piece of the body as it arrives; raises RequestTooSlow.

    Raises BodyTooLarge by the declared size, or when it gets there.
    """
    most = limits.max_body_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise BodyTooLarge(f"the body has {declared} bytes, the limit is {most}")
    size = 0
    try:
        async with asyncio.timeout(limits.timeout_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise BodyTooLarge(f"the body has more than {most} bytes, the limit")
                take(chunk)
    except TimeoutError as error:
        raise RequestTooSlow(f"the body was not complete after {limits.timeout_s:g} s") from error


def _json_images(body: bytes, limits: Limits) -> list[Upload | Link]:
    too_many = f"the limit is {limits.max_images} images a request; spread them over several"
    if sum(map(body.count, (b"{", b"[", b","))) > _MARKS_AN_IMAGE * (limits.max_images + 1):
        # Before it is parsed: 30 MB of "[[],[],..." would become a gigabyte of objects.
        raise TooManyImages(f"the JSON body has too many entries; {too_many}")
    images = _document(body, JsonImages).images
    if len(images) > limits.max_images:
        raise TooManyImages(f"{len(images)} images were given; {too_many}")
    return [_json_image(image, place) for place, image in enumerate(images)]


def _json_image(image: JsonImage, place: int) -> Upload | Link:
    if image.base64 is None:
        return Link(image.url or "", place)
    try:
        content = base64.b64decode("".join(image.base64.split()), validate=True)
    except ValueError as error:
        said = f"images[{place}].base64 is not base64: {error}; no 'data:' prefix, no URL alphabet"
        return Upload(None, MalformedRequest(said))
    return Upload(None, content or EmptyImage(f"images[{place}].base64 is empty"))


def _document(body: bytes, kind: type[Document]) -> Document:
    if not body:
        raise MalformedRequest("the body is empty, expected JSON")
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        faults = [Fault(("body", *each["loc"]), each["msg"]) for each in found]
        said = "; ".join(f"{'.'.join(map(str, fault.loc))}: {fault.msg}" for fault in faults[:3])
        raise MalformedRequest(f"the JSON body is wrong: {said}", faults=faults) from error
