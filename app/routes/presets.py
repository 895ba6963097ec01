"""`/v1/presets`: configurations that a job can start from."""

import asyncio

from fastapi import APIRouter

from app import openapi
from app.job_schemas import PresetList
from app.presets import shipped_presets

router = APIRouter(prefix="/v1/presets", tags=["jobs"])


@router.get("", responses=openapi.problems(503))
async def list_presets() -> PresetList:
    """The configurations that come with the code for jobs, their defaults filled in.

    A job takes one by its name; of some, the runs they build upon are to be named by job ids.
    """
    return PresetList(items=list(await asyncio.to_thread(shipped_presets)))
