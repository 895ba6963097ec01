"""A request to import a data set becomes a job, if its name is free and its files are sound."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.archive_form import ARCHIVE, Fields
from app.configuration import of_validation
from app.dataset_problems import DatasetTaken, InvalidImport
from app.dataset_schemas import NOT_ASKED
from app.errors import Fault
from app.jobs_state import Jobs
from app.submission import said
from models.files import sync
from training.config.importing import ImportConfig
from worker.archives import limits_of, settle
from worker.catalogue import Catalogue
from worker.disk import check_room
from worker.import_sources import allowed_source
from worker.jobs import JobKind, JobRecord, JobSpec
from worker.rows import UnreadableRecord
from worker.store import DatasetUnavailable, IdempotencyKey, JobStore, UnknownJob

ROOT = "root"
_BODY = "body"
_LISTS = frozenset({"labels"})
_PATIENCE_S, _LOOK_S = 5.0, 0.05


def asked_by_form(fields: Fields) -> dict[str, Any]:
    """What the fields of a form say, as a JSON document would; raises InvalidImport."""
    repeated = [name for name, values in fields.items() if len(values) > 1 and name not in _LISTS]
    if repeated:
        raise _invalid([Fault((_BODY, name), "given more than once") for name in repeated])
    return {
        name: _listed(values) if name in _LISTS else values[0] for name, values in fields.items()
    }


def _listed(values: Sequence[str]) -> list[Any]:
    """Several parts, names by comma, or a JSON list for names that have commas."""
    if len(values) > 1:
        return list(values)
    try:
        found = json.loads(values[0])
    except ValueError:
        found = None
    return found if isinstance(found, list) else [name.strip() for name in values[0].split(",")]


def configured(asked: Mapping[str, Any], sources: Sequence[str]) -> ImportConfig:
    """The configuration of an import from `sources`; raises InvalidImport with every fault."""
    config, faults = _checked(asked, sources)
    if config is None:
        raise _invalid(faults)
    return config


def check_early(fields: Fields, jobs: Jobs, *, key: str | None) -> None:
    """Refuse an upload by the fields that came before it; raises RequestError.

    Of a request whose idempotency key is known the name may be taken by its own job.
    """
    asked = asked_by_form(fields)
    _, faults = _checked(asked, ["archive.zip"])
    wrong = [fault for fault in faults if fault.loc[-1] in asked]
    if wrong:
        raise _invalid(wrong)
    if "name" not in asked:
        return
    try:
        _check_free(str(asked["name"]), jobs)
    except DatasetTaken:
        if key is None or not jobs.store.knows(key):
            raise


def check_roots(asked: Mapping[str, Any], jobs: Jobs) -> list[str]:
    """The paths on the server that are asked for; raises RequestError and JobError."""
    given = asked.get(ROOT)
    paths = [given] if isinstance(given, str) else given
    if not isinstance(paths, list) or not paths or not all(isinstance(p, str) for p in paths):
        expected = "expected a path on the server, or a list of paths of one data set"
        raise _invalid([Fault((_BODY, ROOT), expected)])
    for path in paths:
        allowed_source(path, jobs.settings.import_roots)
    return paths


def check_archives(paths: Sequence[Path], jobs: Jobs) -> None:
    """Make the archives safe to import, and sure that there is room for what is in them."""
    if not paths:
        raise _invalid([Fault((_BODY, ARCHIVE), "the form has no archive; send a zip or tar file")])
    folder = paths[0].parent
    unpacked = settle(
        paths, limits_of(jobs.settings), room=lambda wanted: check_room(folder, wanted)
    )
    check_room(jobs.settings.datasets_root, unpacked)
    for kept in (*paths, folder, folder.parent):
        sync(kept)


def submit(
    config: ImportConfig,
    jobs: Jobs,
    *,
    job_id: str,
    key: IdempotencyKey | None,
    prepare: Callable[[], None] = lambda: None,
) -> JobRecord:
    """Store the job, or find the one that `key` made; raises DatasetTaken where it cannot be.

    `prepare` is called once it is known that nothing stands in the way.
    """
    known = jobs.store.recall(key) if key else None
    if known:
        return known
    if key is None:
        _check_free(config.name, jobs)
    prepare()
    spec = JobSpec(kind=JobKind.IMPORT, config=config, name=config.name)
    stored = _stored(JobRecord.of(spec, id=job_id), config.name, jobs, key)
    if stored.id == job_id:
        jobs.dispatch(stored)
    return stored


def importing(store: JobStore) -> dict[str, str]:
    """Names of the data sets that are being imported, and the jobs that do it."""
    found = {}
    for job_id in store.active(JobKind.IMPORT):
        try:
            config = store.get(job_id).config
        except (UnknownJob, UnreadableRecord):
            continue
        if isinstance(config, ImportConfig):
            found[config.name] = job_id
    return found


def _stored(record: JobRecord, name: str, jobs: Jobs, key: IdempotencyKey | None) -> JobRecord:
    """Of several requests for one name at once the first makes a job."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with jobs.store.forget_dataset(name):
                known = jobs.store.recall(key) if key else None
                if known:
                    return known
                _check_free(name, jobs)
                return jobs.store.create([record], key=key)
        except DatasetUnavailable as error:
            if time.monotonic() > deadline:
                raise DatasetTaken(
                    f"data set {name!r} is being deleted or asked for by others; try again"
                ) from error
            time.sleep(_LOOK_S)


def _check_free(name: str, jobs: Jobs) -> None:
    if Catalogue(jobs.settings.datasets_root).has(name):
        raise DatasetTaken(
            f"there is a data set {name!r}; choose another name, or delete it first: "
            f"DELETE /v1/datasets/{name}"
        )
    job_id = importing(jobs.store).get(name)
    if job_id:
        raise DatasetTaken(
            f"data set {name!r} is being imported by job {job_id}; choose another name, or "
            f"follow it: GET /v1/jobs/{job_id}"
        )


def _checked(
    asked: Mapping[str, Any], sources: Sequence[str]
) -> tuple[ImportConfig | None, list[Fault]]:
    faults = [Fault((_BODY, name), "unknown option") for name in NOT_ASKED if name in asked]
    given = {name: value for name, value in asked.items() if name not in NOT_ASKED}
    try:
        config = ImportConfig.model_validate({**given, "sources": list(sources)})
    except ValidationError as error:
        return None, [*faults, *of_validation(error, given, loc=(_BODY,))]
    return (None if faults else config), faults


def _invalid(faults: list[Fault]) -> InvalidImport:
    return InvalidImport(said(faults), faults=faults)
