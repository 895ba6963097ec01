"""Every request observed: an id that travels with it, metrics, and a line in the log."""

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import tracing
from app.metrics import Metrics
from app.problems import REFUSED

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered."""

_HEADER = "x-request-id"
_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_UNKNOWN_ROUTE = "none"
_log = logging.getLogger("sentiscope.access")


class Observed:
    """Middleware around everything else."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        began, status = time.perf_counter(), 0
        told = {_HEADER: request_id, **tracing.mark(request_id)}
        added = [(name.encode(), value.encode()) for name, value in told.items()]

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        token = REQUEST_ID.set(request_id)
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_observed)
        finally:
            self._metrics.in_flight.dec()
            self._tell(scope, status, seconds=time.perf_counter() - began)
            REQUEST_ID.reset(token)

    def _tell(self, scope: Scope, status: int, *, seconds: float) -> None:
        """A status of 0 says that the client left before there was an answer."""
        route = getattr(scope.get("route"), "path", _UNKNOWN_ROUTE)
        self._metrics.count_request(route, scope["method"], status, seconds=seconds)
        if REFUSED in scope:
            self._metrics.refused.labels(scope[REFUSED]).inc()
        if not _log.isEnabledFor(logging.INFO):
            return
        told = {
            "method": scope["method"],
            "path": scope["path"],
            "route": route,
            "status": status,
            "seconds": round(seconds, 6),
        }
        if REFUSED in scope:
            told["refused"] = scope[REFUSED]
        _log.info("%s %s %s", told["method"], told["path"], status, extra={"fields": told})


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, ids of request and trace, `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request_id := REQUEST_ID.get()) is not None:
            told["request_id"] = request_id
        if (trace_id := tracing.trace_id()) is not None:
            told["trace_id"] = trace_id
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps({**told, **fields}, default=str)


def log_as_json() -> None:
    """Let the process's log be JSON lines on stderr, every request among them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _log.setLevel(logging.INFO)


def _request_id(headers: Headers) -> str:
    """The client's own, if it is a plain one: it goes into headers and logs."""
    given = headers.get(_HEADER, "")
    return given if _PLAIN.fullmatch(given) else secrets.token_hex(16)
