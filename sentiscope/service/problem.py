"""An error as the service tells it: problem details, RFC 9457."""

from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

UNREADABLE_FILE = "urn:sentiscope:client:unreadable-file"
NO_SERVICE = "urn:sentiscope:client:no-service"


class Fault(BaseModel):
    """One of several things that are wrong, and where."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    loc: tuple[str | int, ...]
    msg: str

    @property
    def place(self) -> str:
        """Where, as a person writes it."""
        return ".".join(str(part) for part in self.loc if part != "body") or "the request"


class Problem(BaseModel):
    """What is wrong with a request, or with one image of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = "about:blank"
    title: str
    status: int | None = None
    """None where no service was asked: the client itself could not read a file."""

    detail: str
    errors: tuple[Fault, ...] = ()

    @property
    def kind(self) -> str:
        """The last word of its type, such as `broken-image`."""
        return self.type.rpartition(":")[2]

    def __str__(self) -> str:
        """The detail, and each fault with its place unless the detail says it."""
        if len(self.errors) == 1 and self.errors[0].msg in self.detail:
            return self.detail
        return "\n".join([self.detail, *(f"  {each.place}: {each.msg}" for each in self.errors)])


def problem_of(response: httpx.Response) -> Problem:
    """The problem document of an answer; of one that has none, what its status says."""
    try:
        document: Mapping[str, Any] = response.json()
        return Problem.model_validate({**document, "status": response.status_code})
    except (ValueError, TypeError, ValidationError):
        title = response.reason_phrase or "An error without a name"
        detail = f"{response.url} answers {response.status_code} {response.reason_phrase}".rstrip()
        return Problem(title=title, status=response.status_code, detail=detail)


def unreadable(file: str, error: OSError) -> Problem:
    """The problem of a file that is not there or may not be read."""
    return Problem(
        type=UNREADABLE_FILE,
        title="The file cannot be read",
        detail=f"{file} cannot be read: {error.strerror or error}",
    )


def unfetched(address: str) -> Problem:
    """The problem of an image that is given by its address where no service is."""
    return Problem(
        type=NO_SERVICE,
        title="There is no service to fetch the image",
        detail=f"{address} is an address, from which a service alone fetches; name a service "
        "(--url), or give a file",
    )
