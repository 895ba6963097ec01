"""An open file as an answer: whole, a part of it, or not at all where the client has it already.

RFC 9110, sections 13 and 14. A request for several parts is answered with the whole.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app import methods
from app.errors import RangeNotSatisfiable
from app.job_files import OpenFile

_ONE_READ = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start` to before `end`."""

    start: int
    end: int


class _ClosingResponse(StreamingResponse):
    """Closes the file in the end, even where the client left before the first byte."""

    def __init__(self, file: OpenFile, part: Part, status: int, headers: dict[str, str]) -> None:
        super().__init__(_bytes(file, part), status, headers, file.found.media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


def file_answer(request: Request, file: OpenFile) -> Response:
    """The answer, which closes `file`; raises RangeNotSatisfiable."""
    try:
        return _answer(request, file)
    except RangeNotSatisfiable:
        file.close()
        raise


def _answer(request: Request, file: OpenFile) -> Response:
    found = file.found
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": found.etag,
        "Last-Modified": _last_modified(file),
        "Cache-Control": "no-cache",
        "Content-Disposition": f"attachment; filename*=utf-8''{_file_name(file)}",
        "X-Content-Type-Options": "nosniff",
    }
    if _has_it(request, file):
        file.close()
        return Response(status_code=304, headers=headers)
    part, status = _wanted_part(request, file), 206
    if part is None:
        part, status = Part(0, found.bytes), 200
    else:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{found.bytes}"
    headers["Content-Length"] = str(part.end - part.start)
    sent = Part(0, 0) if methods.is_head(request) else part
    return _ClosingResponse(file, sent, status, headers)


def _has_it(request: Request, file: OpenFile) -> bool:
    known = request.headers.get("if-none-match", "").split(",")
    return any(each.strip().removeprefix("W/") in (file.found.etag, "*") for each in known)


def _wanted_part(request: Request, file: OpenFile) -> Part | None:
    """The one part that is asked for; None where it is the whole. Raises RangeNotSatisfiable."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range")
    if asked is None or condition not in (None, file.found.etag, _last_modified(file)):
        return None
    size = file.found.bytes
    first, last = asked.groups()
    if first and last and int(last) < int(first):
        return None
    if not first and not last:
        return None
    if first:
        part = Part(int(first), min(int(last) + 1, size) if last else size)
    else:
        part = Part(max(size - int(last), 0), size)
    if part.start >= size:
        raise RangeNotSatisfiable(
            f"{file.found.path} has {size} bytes, none of them in {asked.group()}",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return part


async def _bytes(file: OpenFile, part: Part) -> AsyncIterator[bytes]:
    """What lies in the part; a file that grows meanwhile is sent as long as it was."""
    at = part.start
    while at < part.end:
        wanted = min(_ONE_READ, part.end - at)
        chunk = await asyncio.to_thread(os.pread, file.descriptor, wanted, at)
        if not chunk:
            return
        at += len(chunk)
        yield chunk


def _last_modified(file: OpenFile) -> str:
    return format_datetime(file.found.modified_at.replace(microsecond=0), usegmt=True)


def _file_name(file: OpenFile) -> str:
    return quote(PurePosixPath(file.found.path).name, safe="")
