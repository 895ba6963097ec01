"""`/v1/jobs/{job_id}/metrics` and `logs`: what its run wrote of itself."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from app import job_examples, openapi
from app.job_output import log_tail, metric_points
from app.job_schemas import MetricList
from app.job_view import json_answer
from app.jobs_state import TheJobs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
_TEXT: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}


@router.get(
    "/{job_id}/metrics",
    response_model=MetricList,
    responses=openapi.problems(404, 503) | openapi.example(200, job_examples.METRICS),
)
async def metrics(job_id: str, jobs: TheJobs) -> Response:
    """The series of a training's figures; of a pipeline, ask its steps."""
    folder = await jobs.folder(job_id)
    points = await asyncio.to_thread(metric_points, folder)
    return json_answer({"items": points, "next_cursor": None})


@router.get(
    "/{job_id}/logs",
    response_class=PlainTextResponse,
    responses=openapi.problems(404, 422, 503) | {200: {"content": _TEXT}},
)
async def logs(
    job_id: str,
    jobs: TheJobs,
    tail: Annotated[int, Query(ge=1, le=10_000, description="Lines, from the end")] = 200,
) -> Response:
    """The end of the log of the job's process; empty before it was first started."""
    folder = await jobs.folder(job_id)
    return Response(await asyncio.to_thread(log_tail, folder, tail), media_type="text/plain")
