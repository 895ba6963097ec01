"""`/v1/jobs/{job_id}/artifacts`: the files that a job makes."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response

from app import job_examples, openapi
from app.file_answer import file_answer
from app.job_schemas import Artifact, ArtifactList
from app.job_view import shown
from app.jobs_state import Jobs, TheJobs
from app.told_files import ToldFiles
from worker import rows

router = APIRouter(prefix="/v1/jobs/{job_id}/artifacts", tags=["jobs"])
_BYTES: dict[str, Any] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}


@router.get("", responses=openapi.problems(404, 503) | openapi.example(200, job_examples.ARTIFACTS))
async def list_artifacts(job_id: str, jobs: TheJobs) -> ArtifactList:
    """The files in the job's folder; hidden and half-written ones are not among them."""
    files = await _files(jobs, job_id)
    found = await asyncio.to_thread(files.listed)
    items = [
        Artifact(
            path=file.path,
            bytes=file.bytes,
            modified_at=file.modified_at,
            media_type=file.media_type,
        )
        for file in found
    ]
    return ArtifactList(items=items)


@router.get(
    "/{path:path}",
    response_class=Response,
    responses=openapi.problems(404, 416, 503)
    | {
        200: {"description": "The file", "content": _BYTES},
        206: {"description": "A part of it", "content": _BYTES},
        304: {"description": "The client has it already"},
    },
)
async def show_artifact(
    job_id: str,
    path: Annotated[str, Path(examples=["checkpoints/best.safetensors"])],
    request: Request,
    jobs: TheJobs,
    range_: Annotated[
        str | None, Header(alias="Range", description="One part of it, as `bytes=0-1023`")
    ] = None,
) -> Response:
    """One file, or one part of it; `config.json` is the configuration that was submitted."""
    del range_  # described here, read with its conditions from the request
    files = await _files(jobs, job_id)
    return file_answer(request, await asyncio.to_thread(files.opened, path))


async def _files(jobs: Jobs, job_id: str) -> ToldFiles:
    document = shown(rows.document(job_id, await jobs.row(job_id)))
    return ToldFiles(jobs.settings.jobs_root / job_id, document["config"], jobs.settings)
