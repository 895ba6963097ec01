"""Says no to predictions before anything is done for them: under overload a no must cost little."""

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app import problems
from app.errors import QueueFull
from app.state import Service


class RefusesWhenFull:
    """Middleware in front of the routing: a request for `route` is refused while the queue is full.

    Its query and its body are not looked at.
    """

    def __init__(self, app: ASGIApp, *, route: APIRoute) -> None:
        self._app, self._route = app, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._is_meant(scope):
            service: Service = scope["state"]["service"]
            try:
                service.queue.check_room()
            except QueueFull as full:
                scope["route"] = self._route  # as routing would: requests are counted by it
                await problems.answer(Request(scope), full)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_meant(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["path"] == self._route.path
            and scope["method"] in (self._route.methods or ())
        )
