"""Health: is the process there, and can it answer."""

from fastapi import APIRouter

from app import openapi
from app.routes.predictions import model_version
from app.schemas import Alive, Ready
from app.state import TheService

router = APIRouter(prefix="/health", tags=["operations"])


@router.get("/live")
async def live() -> Alive:
    """The process answers."""
    return Alive()


@router.get("/ready", responses=openapi.problems(503))
async def ready(service: TheService) -> Ready:
    """The service's model is loaded; else the problem says what is missing."""
    return Ready(model=model_version(await service.ready()))
