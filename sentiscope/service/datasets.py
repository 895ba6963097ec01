"""Asking for data sets: list, show, send, wait for, delete."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import TypedDict

import httpx

from sentiscope.service import jobs
from sentiscope.service.archives import Archive
from sentiscope.service.errors import NotImported
from sentiscope.service.job import Job
from sentiscope.service.talk import Listing, Part, Request, Talk, get, path_to, told
from sentiscope.service.value import Value

_CHECKED_WITHIN_S = 3600.0
"""An archive is checked in full before the answer comes, and a tar file packed anew."""

_SENDING = httpx.Timeout(60.0, connect=5.0, read=_CHECKED_WITHIN_S)


class Options(TypedDict, total=False):
    """How a data set is imported; `docs/reference/configuration.md` describes each."""

    title: str | None
    terms: str | None
    labels: Sequence[str] | None
    test_fold: int
    val_fraction: float
    seed: int
    skip_unreadable: bool
    min_images: int


class Labels(Value):
    """The labels of one kind, in order."""

    names: tuple[str, ...]
    polarity: tuple[str, ...] | None = None


class Dataset(Value):
    """A data set; of one that is being imported, its name and job alone."""

    name: str
    title: str | None = None
    format: str | None = None
    digest: str | None = None
    label_sets: Mapping[str, Labels] = {}
    counts: Mapping[str, int] = {}
    terms: str | None = None
    findings: tuple[str, ...] = ()
    importing: str | None = None
    """Id of the job that imports it right now."""

    fault: str = ""
    """Why its card cannot be read; empty where it can."""


def listed() -> Listing[Dataset]:
    """Data sets by name."""
    return Listing(get("/v1/datasets"), Dataset)


def shown(name: str) -> Talk[Dataset]:
    """One of them."""
    return (yield from told(get(path_to("datasets", name)), Dataset))


def sent(archives: Sequence[Archive], *, name: str, format: str, options: Options) -> Talk[Job]:
    """The job that imports archives, made once however often they are sent."""
    fields = {"name": name, "format": format, **options}
    parts = [_field(each, value) for each, value in fields.items() if value is not None]
    request = Request(
        "POST",
        "/v1/datasets",
        headers={"Idempotency-Key": str(uuid.uuid4())},
        parts=[*parts, *map(_file, archives)],
        repeatable=True,
        timeout=_SENDING,
    )
    return (yield from told(request, Job))


def awaited(name: str, *, timeout_s: float | None, every_s: float) -> Talk[Dataset]:
    """A data set once it is imported; raises NotImported and StillRunning."""
    found = yield from shown(name)
    if found.importing is None:
        return found
    job = yield from jobs.awaited(found.importing, timeout_s=timeout_s, every_s=every_s)
    if job.status != "succeeded":
        reason = f": {job.error.message}" if job.error else ""
        raise NotImported(f"data set {name!r} is not there: job {job.id} {job.status}{reason}")
    return (yield from shown(name))


def deleted(name: str) -> Talk[None]:
    """Sent once, for it is not said whether one arrived."""
    yield Request("DELETE", path_to("datasets", name))


def _field(name: str, value: object) -> Part:
    """As the service reads it: a text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value)
    return name, (None, text.encode(), None)


def _file(archive: Archive) -> Part:
    return "archive", (archive.name, archive, "application/octet-stream")
