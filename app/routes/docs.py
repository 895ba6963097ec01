"""`GET /docs`: the API's description in Swagger UI, whose files come with a package."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from app.routes.page import page_file

_PACKAGE = "fastapi_offline"
OURS = Path(__file__).parents[1] / "viewer"
router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def viewer() -> FileResponse:
    """The page."""
    return page_file(OURS / "index.html")


@router.get("/docs/{name}")
async def part(name: str) -> FileResponse:
    """What it is made of."""
    file = _parts().get(name)
    if file is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return page_file(file)


@cache
def _parts() -> Mapping[str, Path]:
    """Names and files; the package is found and not imported, as only its files are wanted."""
    found = find_spec(_PACKAGE)
    assert found, _PACKAGE
    assert found.origin, _PACKAGE
    theirs = Path(found.origin).parent / "static"
    names = ("swagger-ui.css", "swagger-ui-bundle.js")
    return {"start.js": OURS / "start.js", **{name: theirs / name for name in names}}
