"""What can go wrong with data sets and their imports, as errors of a request."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import Response

from app import problems
from app.errors import DatasetNotFound, RequestError
from worker.archive_entries import BadArchive
from worker.catalogue import BrokenDataset, UnknownDataset
from worker.disk import DiskFull
from worker.import_sources import OutsideImportRoots, SourceMissing


class SourceForbidden(RequestError):
    """Data sets are not imported from there."""

    status = HTTPStatus.FORBIDDEN


class DatasetTaken(RequestError):
    """The name of the data set is taken."""

    status = HTTPStatus.CONFLICT


class ArchiveRefused(RequestError):
    """The archive cannot be imported."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class InvalidImport(RequestError):
    """The import cannot be done as it is described."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class DatasetDamaged(RequestError):
    """The data set on disk is damaged."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class NoRoom(RequestError):
    """The service's disk has no room for it."""

    status = HTTPStatus.INSUFFICIENT_STORAGE


_KINDS: Mapping[type[Exception], type[RequestError]] = {
    BadArchive: ArchiveRefused,
    UnknownDataset: DatasetNotFound,
    BrokenDataset: DatasetDamaged,
    DiskFull: NoRoom,
    OutsideImportRoots: SourceForbidden,
    SourceMissing: InvalidImport,
}


def add_handlers(app: FastAPI) -> None:
    """Let errors of data sets be answered as problem documents."""
    for kind in _KINDS:
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    kind = next(kind for known, kind in _KINDS.items() if isinstance(error, known))
    return problems.answer(request, kind(str(error)))
