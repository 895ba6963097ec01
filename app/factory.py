"""The service as an ASGI application."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import decoding, problems
from app.errors import NotReady
from app.methods import HeadAsGet
from app.routes import health, models, page, predictions
from app.settings import Settings
from app.state import Service, State, open_service

_log = logging.getLogger(__name__)
_DESCRIPTION = (
    "Tells what an image makes people feel. Errors are `application/problem+json` (RFC 9457)."
)
_SUMMARY = "Image sentiment analysis"

Announce = Callable[[str], None]


def create_app(settings: Settings, *, announce: Announce = _log.info) -> FastAPI:
    """The service; once it runs, `announce` is told which model answers, or why none does."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        service = open_service(settings)
        try:
            decoding.prepare()
            announce(await _readiness(service))
            yield State(service=service)
        finally:
            service.queue.close()

    app = FastAPI(
        title="Sentiscope",
        summary=_SUMMARY,
        description=_DESCRIPTION,
        version="1",
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.add_handlers(app)
    app.add_middleware(HeadAsGet)
    for part in (predictions, models, health, page):
        app.include_router(part.router)
    return app


async def _readiness(service: Service) -> str:
    try:
        session = await service.ready()
    except NotReady as error:
        return f"not ready: {error.detail}"
    return f"model {session.bundle.label}"
