"""What can go wrong, named as facts; `problems` puts what concerns a request on the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One of several things that are wrong, and where."""

    loc: tuple[str | int, ...]
    msg: str


class AppError(Exception):
    """The service cannot do what was asked of it."""

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or type(self).__doc__ or ""
        super().__init__(self.detail)


class BindingRefused(AppError):
    """The service cannot listen there."""


class RequestError(AppError):
    """The request cannot be served."""

    status: ClassVar[HTTPStatus]

    def __init__(
        self,
        detail: str | None = None,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.faults = tuple(faults)
        self.headers = dict(headers or {})


class InternalError(RequestError):
    """The service made a mistake."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class MalformedRequest(RequestError):
    """The request is not well-formed."""

    status = HTTPStatus.BAD_REQUEST


class KeyMissing(RequestError):
    """An API key is needed."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="sentiscope"'})


class KeyLacksScope(RequestError):
    """The API key does not open this."""

    status = HTTPStatus.FORBIDDEN


class OriginRefused(RequestError):
    """Other pages and hosts may not use this service."""

    status = HTTPStatus.FORBIDDEN


class InvalidTensor(RequestError):
    """A tensor is not what the model takes."""

    status = HTTPStatus.BAD_REQUEST


class EmptyImage(RequestError):
    """There is no image."""

    status = HTTPStatus.BAD_REQUEST


class UrlRefused(RequestError):
    """Images are not fetched from that address."""

    status = HTTPStatus.FORBIDDEN


class ModelReadOnly(RequestError):
    """The version cannot be changed."""

    status = HTTPStatus.FORBIDDEN


class ModelNotFound(RequestError):
    """There is no such model, version or alias."""

    status = HTTPStatus.NOT_FOUND


class JobNotFound(RequestError):
    """There is no such job."""

    status = HTTPStatus.NOT_FOUND


class DatasetNotFound(RequestError):
    """There is no such data set."""

    status = HTTPStatus.NOT_FOUND


class ArtifactNotFound(RequestError):
    """The job has no such file."""

    status = HTTPStatus.NOT_FOUND


class RequestTooSlow(RequestError):
    """The request did not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


class ModelInUse(RequestError):
    """An alias points to the version."""

    status = HTTPStatus.CONFLICT


class JobStateForbids(RequestError):
    """The job's state does not allow it."""

    status = HTTPStatus.CONFLICT


class JobHasNoRun(RequestError):
    """A job that is built upon ended without what it was to make."""

    status = HTTPStatus.CONFLICT


class DatasetInUse(RequestError):
    """The data set is in use."""

    status = HTTPStatus.CONFLICT


class BodyTooLarge(RequestError):
    """The body is too large."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooManyImages(RequestError):
    """The request has too many images."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class ImageTooLarge(RequestError):
    """The image has too many pixels."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedContentType(RequestError):
    """Images do not come in this content type."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class UnsupportedFormat(RequestError):
    """This is not a supported image format."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class RangeNotSatisfiable(RequestError):
    """The file has no such bytes."""

    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


class BrokenImage(RequestError):
    """The image cannot be read."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class ImageNotFetched(RequestError):
    """The image cannot be fetched from its address."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class InvalidOption(RequestError):
    """An option is unknown or has a wrong value."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class InvalidJob(RequestError):
    """The job cannot be done as it is described."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class KeyReused(RequestError):
    """The idempotency key belongs to another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class QueueFull(RequestError):
    """Too many images are waiting."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class HeadTooLarge(RequestError):
    """The request line and headers are too long."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class ModelDamaged(RequestError):
    """The model on disk is damaged."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class ModelNotServable(RequestError):
    """The model cannot run in this service."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class InferenceLost(RequestError):
    """The process that worked on the image ended; send the image again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class NotReady(RequestError):
    """No model is loaded."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class JobStoreAway(RequestError):
    """The store of the jobs does not answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class DeadlinePassed(RequestError):
    """The request waited too long."""

    status = HTTPStatus.GATEWAY_TIMEOUT
