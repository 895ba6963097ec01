"""What is said to a service, apart from how: blocking and asynchronous clients hold the same talks.

A talk is a generator. It yields requests, gets their responses, may see them refused (an exception
at its yield), and returns what came of it.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from sentiscope.service.archives import Archive
from sentiscope.service.value import Value, read, understood

T = TypeVar("T")
V = TypeVar("V", bound=BaseModel)
Query: TypeAlias = Mapping[str, str | int | float]
Part: TypeAlias = tuple[str, tuple[str | None, bytes | Archive, str | None]]
"""The part of a form: its name, and its file name, content and type; a field has the second."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `repeatable` if the service may get it twice without harm."""

    method: str
    path: str
    query: Query = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None
    content: bytes | None = None
    parts: Sequence[Part] = ()
    repeatable: bool = False
    accepted: frozenset[int] = frozenset()
    """Statuses of errors that are an answer all the same."""

    timeout: httpx.Timeout | None = None
    """Of this request; None: that of all."""

    def arguments(self) -> dict[str, Any]:
        """How httpx takes it."""
        head = {"params": dict(self.query), "headers": dict(self.headers)}
        rest = {
            "json": self.json,
            "content": self.content,
            "files": self.parts or None,
            "timeout": self.timeout,
        }
        given = {name: value for name, value in rest.items() if value is not None}
        return {"method": self.method, "url": self.path, **head, **given}


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is said for a while."""

    seconds: float


Talk: TypeAlias = Generator[Request | Pause, Any, T]


def path_to(*parts: str) -> str:
    """The path of a thing by the names of what leads to it, whatever characters they have."""
    return "/".join(("/v1", *(quote(part, safe="") for part in parts)))


def get(path: str, **query: str | int | float | None) -> Request:
    """A request that only reads; parts of the query that are None are left out."""
    kept = {name: value for name, value in query.items() if value is not None}
    return Request("GET", path, query=kept, repeatable=True)


def told(request: Request, kind: type[V]) -> Talk[V]:
    """One request, and its answer as a `kind`; raises Unintelligible."""
    response: httpx.Response = yield request
    return read(response, kind)


class _Page(Value):
    items: list[Any]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Listing(Generic[V]):
    """A list of values of one kind that comes page by page; `request` is that of the next."""

    request: Request
    kind: type[V]

    def page(self) -> "Talk[tuple[list[V], Listing[V] | None]]":
        """The values of the next page, and what is left; raises Unintelligible."""
        response: httpx.Response = yield self.request
        found = read(response, _Page)
        with understood(response):
            items = [self.kind.model_validate(each) for each in found.items]
        if found.next_cursor is None:
            return items, None
        query = {**self.request.query, "cursor": found.next_cursor}
        return items, replace(self, request=replace(self.request, query=query))
