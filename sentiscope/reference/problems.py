"""Page: every problem that a request can end with, and what to do about it."""

import pkgutil
from collections.abc import Iterator
from http import HTTPStatus
from importlib import import_module

import app
from app.errors import RequestError
from app.problems import TYPE, reason
from sentiscope.reference.markdown import code, one_line, page, table
from sentiscope.reference.remedies import REMEDIES

_FRAMEWORK = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
"""Refused before any code of ours is asked; their types are the statuses' names."""

_INTRODUCTION = f"""\
Every error is `application/problem+json` (RFC 9457). `type` is `{TYPE}` and the name below; programs decide by it, `detail` is
for people and says what was given, what was expected and what to do. Where several things are wrong, `errors` lists each with `loc`
and `msg`. [The form](../api.md#errors)."""

Row = tuple[int, str, str]
"""Status, name, title."""


def problems() -> str:
    """All of them, by status."""
    rows = [
        (str(status), code(name), title, REMEDIES.get(name, ""))
        for status, name, title in known_problems()
    ]
    return page("Problems", _INTRODUCTION, table(("status", "type", "title", "what to do"), rows))


def known_problems() -> list[Row]:
    """Those of our own and the framework's, sorted by status and name."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        import_module(module.name)
    return sorted({*_ours(RequestError), *map(_of_framework, _FRAMEWORK)})


def _ours(kind: type[RequestError]) -> Iterator[Row]:
    for each in kind.__subclasses__():
        yield int(each.status), reason(each), one_line(each.__doc__).removesuffix(".")
        yield from _ours(each)


def _of_framework(status: HTTPStatus) -> Row:
    return int(status), status.phrase.lower().replace(" ", "-"), status.phrase
