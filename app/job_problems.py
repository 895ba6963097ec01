"""What the job system raises, as errors of a request; only there where jobs are."""

import re
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.responses import Response
from redis import exceptions

from app import errors, problems
from app.errors import RequestError
from worker.rows import UnreadableRecord
from worker.status import ForbiddenMove
from worker.store import BadCursor, DatasetInUse, DatasetUnavailable, KeyReused, UnknownJob

RETRY_AFTER_S = 2
_KINDS: Mapping[type[Exception], type[RequestError]] = {
    UnknownJob: errors.JobNotFound,
    BadCursor: errors.InvalidOption,
    KeyReused: errors.KeyReused,
    DatasetInUse: errors.DatasetInUse,
    DatasetUnavailable: errors.DatasetInUse,
    ForbiddenMove: errors.JobStateForbids,
    UnreadableRecord: errors.JobStateForbids,
}
REDIS_IS_AWAY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
)
"""It cannot be reached, is still reading its files, or takes no writes at the moment."""

_TAKES_NO_WRITES = re.compile(r"\b(MISCONF|OOM|READONLY)\b")
"""The reason in the error of a script, which has no kind of its own; MISCONF is a full disk."""


def of_job_error(error: Exception) -> Exception:
    """What an error of the job system is to a client; itself where nobody foresaw it."""
    if _is_away(error):
        return errors.JobStoreAway(
            f"jobs are kept in Redis, which does not serve at the moment; predictions go on, "
            f"and nothing that was acknowledged is lost: ask again in {RETRY_AFTER_S} s",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    kind = _KINDS.get(type(error))
    return kind(str(error)) if kind else error


def _is_away(error: Exception) -> bool:
    says_so = isinstance(error, exceptions.ResponseError) and _TAKES_NO_WRITES.search(str(error))
    return bool(says_so) or isinstance(error, REDIS_IS_AWAY)


def add_handlers(app: FastAPI) -> None:
    """Let the errors of the job system be answered as problem documents."""
    for kind in (*_KINDS, *REDIS_IS_AWAY, exceptions.ResponseError):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    return problems.answered(request, of_job_error(error))
