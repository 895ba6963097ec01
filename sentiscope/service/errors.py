"""Why something that was asked of a service did not come."""

from collections.abc import Mapping
from http import HTTPStatus

from sentiscope.service.problem import Fault, Problem


class SentiscopeError(Exception):
    """The root of all errors of this client."""


class Unreachable(SentiscopeError):
    """Nobody answers at that address."""


class Unintelligible(SentiscopeError):
    """The answer is not one of the service's."""


class UnusableImage(SentiscopeError):
    """What was given cannot be sent as an image."""


class UnusableSource(SentiscopeError):
    """What was given cannot be sent as a data set."""


class UnusableKey(SentiscopeError):
    """What was given cannot be sent as an API key."""


class StillRunning(SentiscopeError):
    """The job has not ended within the time that was given."""


class NotImported(SentiscopeError):
    """The import of a data set ended without it."""


class Refused(SentiscopeError):
    """The service answered with an error."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))

    @property
    def status(self) -> int | None:
        """The HTTP status; None where it is the client that could not read an image's file."""
        return self.problem.status

    @property
    def detail(self) -> str:
        """What is wrong, in a sentence."""
        return self.problem.detail

    @property
    def errors(self) -> tuple[Fault, ...]:
        """Each fault with its place, where several things are wrong."""
        return self.problem.errors


class BadRequest(Refused):
    """The request, or an image of it, is malformed or empty (400)."""


class KeyMissing(Refused):
    """The service wants an API key, or another one (401)."""


class Forbidden(Refused):
    """The key does not open this, or nobody may do it (403)."""


class NotFound(Refused):
    """There is no such model, version, job, data set or file (404)."""


class Conflict(Refused):
    """The state of the thing forbids it (409)."""


class TooLarge(Refused):
    """Too many bytes, images or pixels (413)."""


class Unsupported(Refused):
    """Not an image format that is read (415)."""


class Invalid(Refused):
    """A broken image, a wrong option or configuration; `errors` names each fault (422)."""


class Busy(Refused):
    """Too many images are waiting (429)."""


class Unavailable(Refused):
    """No service, model or job store answers right now (502, 503)."""


class TimedOut(Refused):
    """The request took too long to arrive, or waited for too long (408, 504)."""


class ServiceFault(Refused):
    """The service made a mistake, or its disk is full (500, 507)."""


BY_STATUS: Mapping[int, type[Refused]] = {
    HTTPStatus.BAD_REQUEST: BadRequest,
    HTTPStatus.UNAUTHORIZED: KeyMissing,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.REQUEST_TIMEOUT: TimedOut,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Unsupported,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
    HTTPStatus.TOO_MANY_REQUESTS: Busy,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: TooLarge,
    HTTPStatus.INTERNAL_SERVER_ERROR: ServiceFault,
    HTTPStatus.BAD_GATEWAY: Unavailable,
    HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
    HTTPStatus.GATEWAY_TIMEOUT: TimedOut,
    HTTPStatus.INSUFFICIENT_STORAGE: ServiceFault,
}


def refusal(problem: Problem) -> Refused:
    """The error that a problem is."""
    return BY_STATUS.get(problem.status or 0, Refused)(problem)
