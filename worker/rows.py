"""A job's record as a Redis hash of strings, and back.

A field that is None has no entry. Times are whole microseconds, since scripts write them too.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from worker.errors import JobError
from worker.jobs import JobRecord

Row = dict[str, str]
Document = dict[str, Any]
"""A record as JSON has it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = frozenset({"created_at", "queued_at", "started_at", "finished_at"})
_NUMBERS = frozenset({"gpus", "time_limit_s", "attempts", "revision"})
_STRUCTURES = frozenset(
    {"labels", "config", "depends_on", "datasets", "progress", "metrics", "result", "error"}
)
_FIELDS = tuple(JobRecord.model_fields)
_DEFAULTS: Row = {
    name: json.dumps(to_jsonable_python(field.get_default(call_default_factory=True)))
    for name, field in JobRecord.model_fields.items()
    if not field.is_required()
}
"""JSON by field."""


class UnreadableRecord(JobError):
    """A record was stored by a version of the service that knew more fields, or other ones."""

    def __init__(self, job_id: str, fault: str) -> None:
        super().__init__(
            f"job {job_id} was stored by another version of the service and cannot be read by this "
            f"one ({fault}); retry it with that version, or submit it anew"
        )
        self.job_id = job_id


def row(record: JobRecord) -> Row:
    """All of a record, and the queue it waits in."""
    found = fields(record, frozenset(JobRecord.model_fields) - {"id"})
    if record.queue:
        found["queue"] = record.queue.value
    return found


def fields(record: JobRecord, names: frozenset[str]) -> Row:
    """Some fields of a record, those that are None left out."""
    plain = record.model_dump(mode="json", include=set(names - _TIMES), exclude_none=False)
    found = {name: _text(name, value) for name, value in plain.items() if value is not None}
    for name in names & _TIMES:
        if (moment := getattr(record, name)) is not None:
            found[name] = str((moment - _EPOCH) // timedelta(microseconds=1))
    return found


def json_text(job_id: str, stored: Mapping[str, str]) -> str:
    """What `record` would dump to JSON, put together from what is stored, most of it JSON."""
    fields = (f'"{name}":{_json(name, stored.get(name))}' for name in _FIELDS if name != "id")
    return f'{{"id":"{job_id}",{",".join(fields)}}}'


def document(job_id: str, stored: Mapping[str, str]) -> Document:
    """The same as Python's values."""
    found: Document = json.loads(json_text(job_id, stored))
    return found


def record(job_id: str, stored: Mapping[str, str]) -> JobRecord:
    """The record that was stored; raises UnreadableRecord."""
    try:
        return JobRecord.model_validate(document(job_id, stored))
    except ValidationError as error:
        first = error.errors()[0]
        fault = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UnreadableRecord(job_id, fault) from error


def row_of_flat(flat: Sequence[str]) -> Row:
    """The row in what a script calls HGETALL's answer: fields and values in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _text(name: str, value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if name in _STRUCTURES else str(value)


def _json(name: str, text: str | None) -> str:
    """A stored field as JSON."""
    if text is None:
        return _DEFAULTS.get(name, "null")
    if name in _STRUCTURES or name in _NUMBERS:
        return text
    if name in _TIMES:
        moment = _EPOCH + timedelta(microseconds=int(text))
        return f'"{moment.isoformat().removesuffix("+00:00")}Z"'
    return json.dumps(text)
