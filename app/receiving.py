"""Receives a form with archives, however long that takes, as long as bytes keep coming."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.multipart import parse_options_header

from app.archive_form import FIELD_BYTES, ArchiveForm, Fields
from app.errors import BodyTooLarge, MalformedRequest, RequestTooSlow, UnsupportedContentType
from worker.disk import check_room

MULTIPART, JSON = "multipart/form-data", "application/json"
_BATCH_BYTES = 1024 * 1024


def media_type(request: Request) -> str:
    """What the body is, one of the two that are read; raises UnsupportedContentType."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedContentType("a compressed body is not read; send it as it is")
    kind = parse_options_header(request.headers.get("content-type"))[0].decode("latin-1")
    if kind not in (MULTIPART, JSON):
        given = f"content type {kind!r}" if kind else "no content type"
        raise UnsupportedContentType(
            f"got {given}, expected {MULTIPART} with parts named 'archive', 'name' and 'format', "
            f'or {JSON} {{"name": ..., "format": ..., "root": ...}}'
        )
    return kind


async def receive_archives(
    request: Request,
    folder: Path,
    *,
    max_bytes: int,
    idle_s: float,
    begin: Callable[[Fields], None],
) -> ArchiveForm:
    """The form, its archives in `folder`; refused before it is read if it says it is too large.

    Raises RequestError, DiskFull, and what `begin` raises of the fields before the archive.
    """
    boundary = parse_options_header(request.headers.get("content-type"))[1].get(b"boundary")
    if not boundary:
        raise MalformedRequest(
            "the content type multipart/form-data names no boundary; leave that header to the "
            "HTTP library, which sets it for its files"
        )
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() else 0
    if size > max_bytes + FIELD_BYTES:
        raise BodyTooLarge(
            f"the body has {size} bytes, the limit is {max_bytes}; import a folder of the server, "
            "or ask the operator to raise SENTISCOPE_MAX_ARCHIVE_BYTES"
        )
    check_room(folder, size)
    form = ArchiveForm(boundary, folder, max_bytes=max_bytes, begin=begin)
    try:
        async for batch in _batches(request, idle_s):
            await run_in_threadpool(form.feed, batch)
    finally:
        form.close()
    if not form.complete:
        raise MalformedRequest("the multipart body ends before its closing boundary")
    return form


async def _batches(request: Request, idle_s: float) -> AsyncIterator[bytes]:
    """The body in pieces that are worth a thread; raises RequestTooSlow when nothing comes."""
    stream = request.stream()
    batch = bytearray()
    while (chunk := await _next(stream, idle_s)) is not None:
        batch += chunk
        if len(batch) >= _BATCH_BYTES:
            yield bytes(batch)
            batch.clear()
    yield bytes(batch)


async def _next(stream: AsyncIterator[bytes], idle_s: float) -> bytes | None:
    try:
        async with asyncio.timeout(idle_s):
            return await anext(stream, None)
    except TimeoutError as error:
        raise RequestTooSlow(f"nothing more of the body came for {idle_s:g} s") from error
