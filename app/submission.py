"""A request for a job, checked in full before anything looks for what it refers to."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.configuration import configured, of_validation
from app.errors import Fault, InvalidJob, MalformedRequest
from app.job_schemas import JobRequest
from worker.jobs import QUEUES, JobConfig, JobKind, JobSpec, Queue

_BODY = "body"
_CONFIG = "config"
_MOST_LABELS = 64
_NAMED_FAULTS = 3


def spec_of(document: object) -> JobSpec:
    """What a request's JSON asks for; raises MalformedRequest, or InvalidJob with every fault."""
    if not isinstance(document, dict):
        raise MalformedRequest('the body is not a JSON object such as {"kind": ..., "config": ...}')
    request, faults = _request(document)
    config: JobConfig | None = None
    kind, given = _kind(document), document.get(_CONFIG)
    if kind is JobKind.IMPORT:
        said = "data sets are imported with POST /v1/datasets"
        faults.append(Fault((_BODY, "kind"), said))
    elif kind is not None and isinstance(given, dict):
        config, found = configured(kind, given, loc=(_BODY, _CONFIG))
        faults += found
    if faults or request is None or config is None:
        raise invalid(faults)
    return JobSpec(config=config, **request.model_dump(exclude={_CONFIG}))


def invalid(faults: list[Fault]) -> InvalidJob:
    """The error that names them all."""
    return InvalidJob(said(faults), faults=faults)


def said(faults: list[Fault]) -> str:
    """The first faults in one line, and how many more there are."""
    named = "; ".join(f"{_path(fault)}: {fault.msg}" for fault in faults[:_NAMED_FAULTS])
    more = len(faults) - _NAMED_FAULTS
    return f"{named}; and {more} more" if more > 0 else named


def _path(fault: Fault) -> str:
    return ".".join(map(str, fault.loc[1:])) or _BODY


def _kind(document: Mapping[str, Any]) -> JobKind | None:
    kind = document.get("kind")
    return JobKind(kind) if isinstance(kind, str) and kind in set(JobKind) else None


def _request(document: Mapping[str, Any]) -> tuple[JobRequest | None, list[Fault]]:
    try:
        request = JobRequest.model_validate(document)
    except ValidationError as error:
        return None, of_validation(error, document, loc=(_BODY,))
    faults = []
    if len(request.labels) > _MOST_LABELS:
        told = f"{len(request.labels)} labels were given, the limit is {_MOST_LABELS}"
        faults.append(Fault((_BODY, "labels"), told))
    if request.gpus > 1 and QUEUES[request.kind] is Queue.CPU:
        told = f"a job of kind {request.kind} runs on one GPU at most; leave it out"
        faults.append(Fault((_BODY, "gpus"), told))
    return request, faults
