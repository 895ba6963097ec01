"""Predictions are answered in front of the routing: what they cost beside the image is this."""

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app import problems, tracing
from app.options import Options
from app.routes import predictions
from app.state import Service

_AS_ALWAYS = Options()
"""What a request without a query asks for."""


class Express:
    """Middleware that answers the requests for `route`, but for the options of a query.

    Those are read by the routing. While the queue is full neither they nor a body are looked at:
    under overload a no must cost little.
    """

    def __init__(self, app: ASGIApp, *, route: APIRoute) -> None:
        self._app = app
        self._path, self._methods, self._route = route.path, route.methods or (), route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not self._is_meant(scope):
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route  # as routing would: requests are counted by it
        request = Request(scope, receive)
        service: Service = scope["state"]["service"]
        answer: ASGIApp = self._app
        try:
            service.queue.check_room()
            if not scope["query_string"]:
                tracing.name_route(scope["method"], self._path)
                answer = await predictions.answered(request, service, _AS_ALWAYS)
        except Exception as error:  # the boundary of the request
            answer = problems.answered(request, error)
        await answer(scope, receive, send)

    def _is_meant(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["path"] == self._path
            and scope["method"] in self._methods
        )
