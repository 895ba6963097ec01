"""`/v1/jobs/{job_id}/events`: what a job tells, in pages or as a stream."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from app import job_examples, openapi
from app.job_schemas import EventList, EventQuery
from app.job_stream import MEDIA_TYPE, JobStream
from app.job_view import json_answer
from app.jobs_state import TheJobs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_CONTENT: dict[str, Any] = {
    "application/json": {"example": job_examples.EVENTS},
    MEDIA_TYPE: {"schema": {"type": "string"}, "example": job_examples.STREAM},
}


@router.get(
    "/{job_id}/events",
    response_model=EventList,
    responses=openapi.problems(404, 422, 503) | {200: {"content": _CONTENT}},
)
async def events(
    job_id: str,
    request: Request,
    jobs: TheJobs,
    query: Annotated[EventQuery, Query()],
    last_event_id: Annotated[
        str | None, Header(description="Where a stream goes on; it wins over `after`")
    ] = None,
) -> Response:
    """A page of events or, with `Accept: text/event-stream`, all of them as they come.

    The stream ends when the job has ended and everything was sent; comments keep it open.
    """
    after = last_event_id or query.after or None
    page = await run_in_threadpool(jobs.store.events, job_id, after=after, limit=query.limit)
    if MEDIA_TYPE in request.headers.get("accept", ""):
        stream = JobStream(jobs, job_id, after) if after else JobStream(jobs, job_id)
        return StreamingResponse(stream.parts(), media_type=MEDIA_TYPE, headers=_HEADERS)
    items = [{"id": event.id, **event.data} for event in page.items]
    return json_answer({"items": items, "next_cursor": page.next})
