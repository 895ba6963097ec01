"""`/v1/jobs`: submit, list, show, cancel, pause, resume and retry."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from app import job_examples, openapi
from app.admission import Admission
from app.idempotency import GivenKey, key_of
from app.job_schemas import JobList, JobQuery, JobRequest
from app.job_view import accepted, list_answer, stored_answer
from app.jobs_state import Jobs, TheJobs
from app.reading import Limits, read_value
from app.state import TheService
from app.submission import spec_of
from models.registry import Registry
from worker import control
from worker.jobs import JobRecord
from worker.store import IdempotencyKey

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
_BODY_BYTES = 1024 * 1024
_RECORD: dict[str, Any] = {"model": JobRecord, "description": "The job's record"}
_ACCEPTED: openapi.Responses = {202: _RECORD | openapi.example(202, job_examples.RECORD)[202]}
_ACTION: dict[str, Any] = {
    "status_code": 202,
    "responses": openapi.problems(404, 409, 503) | _ACCEPTED,
}


@router.post(
    "",
    status_code=202,
    responses=openapi.problems(400, 404, 408, 409, 413, 422, 503) | _ACCEPTED,
    openapi_extra={"requestBody": openapi.json_body(JobRequest, examples=job_examples.REQUESTS)},
)
async def submit(request: Request, service: TheService, jobs: TheJobs, key: GivenKey) -> Response:
    """Submit a job: it is checked in full, stored, and done as soon as a worker is free.

    A job that builds upon one that has not ended yet, or reads a data set that is being imported,
    waits for it (`depends_on`) and fails with it.
    """
    limits = Limits(
        max_body_bytes=_BODY_BYTES, max_images=0, timeout_s=service.settings.read_timeout_s
    )
    document = await read_value(request, limits=limits)
    given = key_of(key, document)
    return await run_in_threadpool(_submitted, jobs, document, service.models.registry, given)


@router.get("", response_model=JobList, responses=openapi.problems(422, 503))
def list_jobs(jobs: TheJobs, query: Annotated[JobQuery, Query()]) -> Response:
    """Jobs, newest first; pages neither repeat nor skip one while others are added."""
    return list_answer(jobs.store.list_stored(**dict(query)))


@router.get(
    "/{job_id}",
    response_model=JobRecord,
    responses=openapi.problems(404, 503) | openapi.example(200, job_examples.RECORD),
)
async def show(job_id: str, jobs: TheJobs) -> Response:
    """A job's record: where it stands, how far it is, and what became of it."""
    return stored_answer(job_id, await jobs.row(job_id))


@router.post("/{job_id}/cancel", **_ACTION)
def cancel(job_id: str, jobs: TheJobs) -> Response:
    """End a job: a waiting one at once, a running one within seconds; a pipeline with its steps."""
    return _acted(control.cancel, job_id, jobs)


@router.post("/{job_id}/pause", **_ACTION)
def pause(job_id: str, jobs: TheJobs) -> Response:
    """Stop a job at a checkpoint, its worker free for others, until it is resumed."""
    return _acted(control.pause, job_id, jobs)


@router.post("/{job_id}/resume", **_ACTION)
def resume(job_id: str, jobs: TheJobs) -> Response:
    """Let a paused job go on exactly where it was stopped."""
    return _acted(control.resume, job_id, jobs)


@router.post("/{job_id}/retry", **_ACTION)
def retry(job_id: str, jobs: TheJobs) -> Response:
    """Let a failed or cancelled job go on from its last checkpoint, with fresh attempts.

    Jobs that failed because they waited for it in vain are retried with it.
    """
    return _acted(control.retry, job_id, jobs)


def _submitted(
    jobs: Jobs, document: object, models: Registry, key: IdempotencyKey | None
) -> Response:
    """What the key made before is answered first: what it built upon may be gone since."""
    known = jobs.store.recall(key) if key else None
    if known is not None:
        return accepted(known)
    spec = spec_of(document)
    records = Admission(jobs.store, jobs.settings, models).records(spec)
    stored = jobs.store.create(records, key=key)
    if stored.id == records[0].id:
        for record in records:
            if not record.depends_on:
                jobs.dispatch(record)
    return accepted(stored)


def _acted(action: Callable[..., JobRecord], job_id: str, jobs: Jobs) -> Response:
    return accepted(action(jobs.store, job_id, dispatch=jobs.dispatch))
