"""Health: is the process there, and can it answer."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request

from app import openapi
from app.errors import JobStoreAway, NotReady, RequestError
from app.routes.predictions import model_version
from app.schemas import Alive, Ready
from app.state import TheService

if TYPE_CHECKING:
    from app.jobs_state import Jobs

router = APIRouter(prefix="/health", tags=["operations"])


@router.get("/live")
async def live() -> Alive:
    """The process answers."""
    return Alive()


@router.get("/ready", responses=openapi.problems(503))
async def ready(service: TheService, request: Request) -> Ready:
    """The service's model is loaded and, where there are jobs, their store answers.

    Else the problem says what is missing.
    """
    jobs: Jobs | None = getattr(request.state, "jobs", None)
    missing: list[RequestError] = []
    model, warnings = None, list[str]()
    try:
        model = await service.ready()
    except NotReady as error:
        missing.append(error)
    try:
        warnings = await jobs.warnings() if jobs else []
    except JobStoreAway as error:
        missing.append(error)
    if len(missing) > 1:
        raise NotReady("; ".join(error.detail for error in missing))
    if model is None or missing:
        raise missing[0]
    return Ready(model=model_version(model), warnings=warnings)
