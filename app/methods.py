"""HTTP methods that no route spells out: HEAD wherever there is GET, and what a path allows."""

from fastapi import Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_IS_HEAD = "sentiscope.is_head"


class HeadAsGet:
    """Middleware that answers HEAD as GET without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        asked = {**scope, "method": "GET", _IS_HEAD: True}
        try:
            await self._app(asked, receive, send_without_body)
        finally:
            scope.update({**asked, "method": "HEAD"})  # what was noted there is counted


def is_head(request: Request) -> bool:
    """Whether the body is not sent, so that a large one need not be read."""
    return bool(request.scope.get(_IS_HEAD))


def allowed(request: Request) -> str:
    """Methods of the request's path over all its routes, as the `Allow` header spells them.

    The router itself names only those of the first route that fits.
    """
    found: set[str] = set()
    for path, operations in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.url.path):
            found.update(method.upper() for method in operations)
    if not found:
        return ""
    extra = {"HEAD", "OPTIONS"} if "GET" in found else {"OPTIONS"}
    return ", ".join(sorted(found | extra))
