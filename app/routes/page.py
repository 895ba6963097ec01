"""`GET /`, `/jobs` and `/models`: the playground, from files of this package and no other host."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

FILES = Path(__file__).parents[1] / "static"
MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css",
    ".html": "text/html",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
"""Written down, since what a system calls a script differs and browsers insist."""

_NAME = re.compile(r"(samples/)?[a-z][a-z0-9_]*\.(css|jpg|js|svg)")
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def predict() -> FileResponse:
    """The page that tells what an image makes people feel."""
    return _file("index.html")


@router.get("/jobs")
async def jobs() -> FileResponse:
    """The page that trains."""
    return _file("jobs.html")


@router.get("/models")
async def models() -> FileResponse:
    """The page that compares and promotes models."""
    return _file("models.html")


@router.get("/static/{name:path}")
async def part(name: str) -> FileResponse:
    """What the pages are made of: scripts, looks, sample pictures."""
    if not _NAME.fullmatch(name) or not (FILES / name).is_file():
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _file(name)


def page_file(file: Path) -> FileResponse:
    """A file of a page, which may load nothing from elsewhere and run nothing inline."""
    return FileResponse(file, media_type=MEDIA_TYPES[file.suffix], headers=_HEADERS)


def _file(name: str) -> FileResponse:
    return page_file(FILES / name)
