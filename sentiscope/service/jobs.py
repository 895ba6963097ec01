"""Asking for jobs: submit, list, show, act, wait, and what they leave behind."""

import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, TypeAlias, TypedDict

import httpx

from sentiscope.service.errors import StillRunning
from sentiscope.service.job import Artifact, Job
from sentiscope.service.talk import Listing, Pause, Request, Talk, get, path_to, told
from sentiscope.service.value import Document, Value

Action: TypeAlias = Literal["cancel", "pause", "resume", "retry"]
_PAUSED = "paused"
_NO_LOG = frozenset({HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, HTTPStatus.NOT_FOUND})


class Asked(TypedDict, total=False):
    """What a job may be given besides its kind and configuration."""

    name: str | None
    labels: Mapping[str, str]
    gpus: int | None
    time_limit_s: float | None


class Filter(TypedDict, total=False):
    """Which jobs; `limit` is that of a page."""

    status: str | None
    kind: str | None
    parent_id: str | None
    limit: int | None


class _Artifacts(Value):
    items: tuple[Artifact, ...]


def submitted(kind: str, config: Mapping[str, object], asked: Asked) -> Talk[Job]:
    """A new job, made once however often the request is sent."""
    given = {name: value for name, value in asked.items() if value}
    request = Request(
        "POST",
        "/v1/jobs",
        json={"kind": kind, "config": dict(config), **given},
        headers={"Idempotency-Key": str(uuid.uuid4())},
        repeatable=True,
    )
    return (yield from told(request, Job))


def shown(job_id: str) -> Talk[Job]:
    """A job's record."""
    return (yield from told(get(path_to("jobs", job_id)), Job))


def record(job_id: str) -> Talk[dict[str, Any]]:
    """A job's record with all of its fields, as the service has it."""
    return (yield from told(get(path_to("jobs", job_id)), Document)).root


def listed(which: Filter) -> Listing[Job]:
    """Jobs, newest first."""
    return Listing(get("/v1/jobs", **which), Job)


def acted(job_id: str, action: Action) -> Talk[Job]:
    """The record after an action; sent once, for it is not said whether one arrived."""
    return (yield from told(Request("POST", path_to("jobs", job_id, action)), Job))


def awaited(job_id: str, *, timeout_s: float | None, every_s: float) -> Talk[Job]:
    """The record once the job has ended, or is paused; raises StillRunning."""
    until = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        job = yield from shown(job_id)
        if job.has_ended or job.status == _PAUSED:
            return job
        if until is not None and time.monotonic() + every_s > until:
            raise StillRunning(f"job {job_id} is {job.status} after {timeout_s:g} s; it goes on")
        yield Pause(every_s)


def log(job_id: str, *, lines: int) -> Talk[str]:
    """The end of the job's log."""
    response: httpx.Response = yield get(path_to("jobs", job_id, "logs"), tail=lines)
    return response.text


def log_from(job_id: str, start: int) -> Talk[tuple[bytes, int]]:
    """What the log holds from a byte on, and the byte to go on from."""
    response: httpx.Response = yield Request(
        "GET",
        path_to("jobs", job_id, "artifacts", "log.txt"),
        headers={"Range": f"bytes={start}-"},
        repeatable=True,
        accepted=_NO_LOG,
    )
    if response.status_code == HTTPStatus.PARTIAL_CONTENT:
        return response.content, start + len(response.content)
    if response.status_code == HTTPStatus.OK:
        return response.content, len(response.content)
    size = response.headers.get("Content-Range", "").rpartition("/")[2]
    return b"", start if size == str(start) else 0  # a smaller one was begun anew


def artifacts(job_id: str) -> Talk[tuple[Artifact, ...]]:
    """The files that the job made."""
    return (yield from told(get(path_to("jobs", job_id, "artifacts")), _Artifacts)).items


def artifact(job_id: str, path: str) -> Request:
    """The request for the content of one of them."""
    return get(path_to("jobs", job_id, "artifacts", *path.split("/")))
