"""`GET /`: the playground, from files of this package and no other host."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

FILES = Path(__file__).parents[1] / "static"
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
async def page() -> FileResponse:
    """The page."""
    return _file("index.html")


@router.get("/static/page.js")
async def script() -> FileResponse:
    """Its script."""
    return _file("page.js")


@router.get("/static/style.css")
async def style() -> FileResponse:
    """Its looks."""
    return _file("style.css")


def _file(name: str) -> FileResponse:
    return FileResponse(FILES / name, headers=_HEADERS)
