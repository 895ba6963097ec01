"""`/v1/datasets`: what can be trained on; import and deletion."""

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from app import openapi
from app.archive_form import ArchiveForm
from app.dataset_schemas import (
    DATASET,
    IMPORT_BODY,
    IMPORT_RECORD,
    DatasetList,
    DatasetQuery,
    DatasetRecord,
)
from app.errors import RequestError
from app.idempotency import GivenKey, key_of
from app.imports import (
    ROOT,
    asked_by_form,
    check_archives,
    check_early,
    check_roots,
    configured,
    importing,
    submit,
)
from app.job_view import accepted
from app.jobs_state import Jobs, TheJobs
from app.reading import Limits, read_value
from app.receiving import MULTIPART, media_type, receive_archives
from app.state import TheService
from worker.catalogue import BrokenDataset, Catalogue, UnknownDataset
from worker.errors import JobError
from worker.import_sources import upload_folder
from worker.jobs import JobRecord, new_id

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])
_JSON_BYTES = 64 * 1024
_ACCEPTED: openapi.Responses = {
    202: {"model": JobRecord, "description": "The record of the job that imports it"}
    | openapi.example(202, IMPORT_RECORD)[202]
}


@router.get(
    "",
    response_model_exclude_unset=True,
    responses=openapi.problems(422, 503),
)
def list_datasets(jobs: TheJobs, query: Annotated[DatasetQuery, Query()]) -> DatasetList:
    """Data sets by name, with their kinds of label and counts; those being imported among them."""
    catalogue, running = Catalogue(jobs.settings.datasets_root), importing(jobs.store)
    names = sorted({*catalogue.names(), *running})
    left = [name for name in names if query.cursor is None or name > query.cursor]
    page = left[: query.limit]
    items = [_summary(catalogue, name, running.get(name)) for name in page]
    return DatasetList(items=items, next_cursor=page[-1] if len(left) > len(page) else None)


@router.get(
    "/{name}",
    response_model_exclude_unset=True,
    responses=openapi.problems(404, 503) | openapi.example(200, DATASET),
)
def show_dataset(name: str, jobs: TheJobs) -> DatasetRecord:
    """Kinds of label with their classes and polarity, counts a split, terms and findings."""
    running = importing(jobs.store).get(name)
    try:
        card = Catalogue(jobs.settings.datasets_root).card(name)
    except UnknownDataset:
        if running is None:
            raise
        return DatasetRecord(name=name, importing=running)
    return DatasetRecord.of(name, card, importing=running)


@router.post(
    "",
    status_code=202,
    responses=openapi.problems(400, 403, 408, 409, 413, 415, 422, 503, 507) | _ACCEPTED,
    openapi_extra={"requestBody": IMPORT_BODY},
)
async def import_dataset(
    request: Request, service: TheService, jobs: TheJobs, key: GivenKey
) -> Response:
    """Import a data set in the background: archives that are sent, or a folder of the server.

    Archives are checked in full before anything is unpacked. The answer is the record of the job.
    """
    idle_s = service.settings.read_timeout_s
    if media_type(request) == MULTIPART:
        return accepted(await _from_upload(request, jobs, key, idle_s=idle_s))
    limits = Limits(max_body_bytes=_JSON_BYTES, max_images=0, timeout_s=idle_s)
    document = await read_value(request, limits=limits)
    return accepted(await run_in_threadpool(_from_server, document, jobs, key))


@router.delete("/{name}", status_code=204, responses=openapi.problems(404, 409, 503))
def delete_dataset(name: str, jobs: TheJobs) -> None:
    """Delete a data set that no job reads which has not ended."""
    with jobs.store.forget_dataset(name):
        Catalogue(jobs.settings.datasets_root).remove(name)


def _summary(catalogue: Catalogue, name: str, running: str | None) -> DatasetRecord:
    try:
        record = DatasetRecord.of(name, catalogue.card(name), importing=running)
    except UnknownDataset:
        return DatasetRecord(name=name, importing=running)
    except BrokenDataset as error:
        return DatasetRecord(name=name, fault=str(error))
    kept = record.model_fields_set - {"findings"}
    return DatasetRecord.model_validate({field: getattr(record, field) for field in kept})


async def _from_upload(
    request: Request, jobs: Jobs, key: str | None, *, idle_s: float
) -> JobRecord:
    """The job that imports what is sent; what was sent goes where it is certain that there is none.

    Where Redis took the job and did not answer it is not: then the sweep decides.
    """
    job_id = new_id()
    folder = upload_folder(jobs.settings.uploads_root, job_id)
    is_wanted = False
    try:
        form = await receive_archives(
            request,
            folder,
            max_bytes=jobs.settings.max_archive_bytes,
            idle_s=idle_s,
            begin=partial(check_early, jobs=jobs, key=key),
        )
        async with jobs.settling:
            is_wanted = True
            record = await run_in_threadpool(_of_form, form, jobs, key, job_id)
        is_wanted = record.id == job_id
        return record
    except (RequestError, JobError):
        is_wanted = False
        raise
    finally:
        if not is_wanted:
            await run_in_threadpool(_discard, folder)


def _of_form(form: ArchiveForm, jobs: Jobs, key: str | None, job_id: str) -> JobRecord:
    asked = asked_by_form(form.fields)
    paths = [archive.path for archive in form.archives]
    config = configured(asked, [path.name for path in paths] or ["none"])
    digests = {archive.path.name: archive.sha256 for archive in form.archives}
    document: dict[str, Any] = {"fields": asked, "archives": digests}
    return submit(
        config,
        jobs,
        job_id=job_id,
        key=key_of(key, document),
        prepare=partial(check_archives, paths, jobs),
    )


def _from_server(document: object, jobs: Jobs, key: str | None) -> JobRecord:
    asked = document if isinstance(document, dict) else {}
    options = {name: value for name, value in asked.items() if name != ROOT}
    roots = check_roots(asked, jobs)
    config = configured(options, roots)
    return submit(config, jobs, job_id=new_id(), key=key_of(key, document))


def _discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
