"""Every error as `application/problem+json` (RFC 9457): one shape, one handler.

Below `/v2` it is the Open Inference Protocol's `{"error": "..."}`.
"""

import json
import logging
import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import errors, methods
from app.errors import Fault, InternalError, RequestError
from app.schemas import Problem, ProblemPart
from models.bundle import BrokenBundle
from models.errors import ModelError
from models.registry import BadName, NotWritable, UnknownModel, VersionInUse

MEDIA_TYPE = "application/problem+json"
REFUSED = "sentiscope.refused"
"""Where a connection's scope says why it was refused."""

TYPE = "urn:sentiscope:problem:"
"""What the type of every problem starts with; the error's name follows."""

_log = logging.getLogger(__name__)

_MODEL_ERRORS: Mapping[type[ModelError], type[RequestError]] = {
    UnknownModel: errors.ModelNotFound,
    BadName: errors.ModelNotFound,
    VersionInUse: errors.ModelInUse,
    NotWritable: errors.ModelReadOnly,
    BrokenBundle: errors.ModelDamaged,
}
_INFERENCE_PROTOCOL = re.compile(r"/v2(/|$)")
"""Paths whose protocol has a form for errors of its own."""

_FOLDERS = re.compile(r"(?<![\w.])(?:/[^\s/:'\"]+)*/(?=[^\s/])")
"""The folders of an absolute path; its last name stays."""


def of_model_error(error: ModelError) -> RequestError:
    """What an error of the models package is to a client, without the host's folders."""
    kind = _MODEL_ERRORS.get(type(error), errors.ModelNotServable)
    return kind(_FOLDERS.sub("", str(error)))


def of_error(error: RequestError, *, instance: str) -> Problem:
    """The problem document of `error`."""
    name = type(error).__name__
    parts = [ProblemPart(loc=list(fault.loc), msg=fault.msg) for fault in error.faults]
    return Problem(
        type=TYPE + reason(type(error)),
        title=(type(error).__doc__ or name).rstrip("."),
        status=error.status,
        detail=error.detail,
        instance=instance,
        **({"errors": parts} if parts else {}),
    )


def reason(error: type[RequestError]) -> str:
    """The error's name as problem types and metrics spell it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower()


def answer(request: Request, error: RequestError) -> Response:
    """The answer to a request that cannot be served; `observation` counts why."""
    request.scope[REFUSED] = reason(type(error))
    return _response(of_error(error, instance=request.url.path), error.headers)


def add_handlers(app: FastAPI) -> None:
    """Let every error of `app` be answered as a problem document."""
    for kind in (RequestError, ModelError, RequestValidationError, ClientDisconnect, HTTPException):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(Exception, _answer)


class Unforeseen:
    """Innermost middleware: answers what nobody foresaw, so that the others see an answer too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an answer that has begun is broken off."""
        began = False

        async def send_noting(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:  # the boundary of the request
            if began or scope["type"] != "http":
                raise
            request = Request(scope)
            await answer(request, _unforeseen(request, error))(scope, receive, send)


class _Unanswered(Response):
    """Nothing, as nobody is there any more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""


def answered(request: Request, error: Exception) -> Response:
    """The answer to whatever a request led to; what nobody foresaw is logged."""
    if isinstance(error, ClientDisconnect):
        return _Unanswered()
    if isinstance(error, HTTPException):
        return _of_http(request, error)
    known = _known(error)
    if known is None:
        known = _unforeseen(request, error)
    return answer(request, known)


async def _answer(request: Request, error: Exception) -> Response:
    return answered(request, error)


def _known(error: Exception) -> RequestError | None:
    if isinstance(error, RequestError):
        return error
    if isinstance(error, ModelError):
        return of_model_error(error)
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    return None


def _unforeseen(request: Request, error: Exception) -> RequestError:
    """A mistake of ours: the log gets all of it, the client a reference to that."""
    reference = uuid.uuid4().hex[:12]
    place = f"{request.method} {request.url.path}"
    _log.error("unforeseen error %s in %s", reference, place, exc_info=error)
    return InternalError(f"an unforeseen error; the service's log has it under {reference}")


def _of_http(request: Request, error: HTTPException) -> Response:
    """What the framework itself refuses: an unknown path, a method that is not allowed."""
    status = HTTPStatus(error.status_code)
    path, headers = request.url.path, dict(error.headers or {})
    detail = str(error.detail)
    if status is HTTPStatus.NOT_FOUND:
        detail = f"there is nothing at {path}; GET /docs or /openapi.json lists what there is"
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = methods.allowed(request) or headers.get("allow", "")
        headers = {"Allow": allowed}
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        detail = f"{request.method} is not allowed at {path}; allowed: {allowed}"
    kind = TYPE + status.phrase.lower().replace(" ", "-")
    problem = Problem(type=kind, title=status.phrase, status=status, detail=detail, instance=path)
    return _response(problem, headers)


def _of_validation(error: RequestValidationError) -> RequestError:
    faults = [Fault(tuple(found["loc"]), _message(found)) for found in error.errors()]
    said = "; ".join(f"{fault.loc[-1]}: {fault.msg}" for fault in faults)
    return errors.InvalidOption(said, faults=faults)


def _message(found: Mapping[str, Any]) -> str:
    if found["type"] == "extra_forbidden":
        return "unknown option; GET /docs lists the known ones"
    return str(found["msg"]).removeprefix("Value error, ")


def _response(problem: Problem, headers: Mapping[str, str]) -> Response:
    body, media_type = problem.model_dump_json(exclude_unset=True), MEDIA_TYPE
    if _INFERENCE_PROTOCOL.match(problem.instance):
        body, media_type = json.dumps({"error": problem.detail}), "application/json"
    return Response(body, status_code=problem.status, headers=dict(headers), media_type=media_type)
