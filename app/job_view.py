"""A job's record as a client sees it: as stored, without folders of the host."""

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from fastapi.responses import Response

from worker import rows
from worker.jobs import JobKind, JobRecord
from worker.listing import StoredPage
from worker.rows import Document


def shown(document: Document) -> Document:
    """The record; of an import the sources are named without their folders."""
    if document["kind"] != JobKind.IMPORT:
        return document
    config = document["config"]
    names = [PurePath(source).name for source in config["sources"]]
    return {**document, "config": {**config, "sources": names}}


def stored_answer(job_id: str, stored: rows.Row) -> Response:
    """A record as it is stored."""
    return Response(_stored_text(job_id, stored), media_type="application/json")


def list_answer(page: StoredPage) -> Response:
    """A page of records as they are stored."""
    items = ",".join(_stored_text(*item) for item in page.items)
    body = f'{{"items":[{items}],"next_cursor":{json.dumps(page.next_cursor)}}}'
    return Response(body, media_type="application/json")


def accepted(record: JobRecord) -> Response:
    """202, where the job is found, and its record."""
    headers = {"Location": f"/v1/jobs/{record.id}"}
    return json_answer(shown(record.model_dump(mode="json")), status=202, headers=headers)


def json_answer(
    content: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Content that was checked when it was stored, sent as it is."""
    return Response(
        _compact(content),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def _stored_text(job_id: str, stored: rows.Row) -> str:
    """JSON that was checked when it was stored, sent as it is unless something has to change."""
    if stored["kind"] == JobKind.IMPORT:
        return _compact(shown(rows.document(job_id, stored)))
    return rows.json_text(job_id, stored)


def _compact(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
