"""Server-sent events, taken up again after the last one whenever the connection is lost.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus

import httpx

from sentiscope.service_errors import Unreachable, refusal
from sentiscope.service_values import Event

_TIMEOUT = httpx.Timeout(10.0, read=45.0)
"""The service sends a comment every 15 s: three in a row that do not come are a lost stream."""

_AGAIN_S = 1.0
_PATIENCE_S = 300.0
"""How long the service may be away before the watcher gives up."""


def follow(
    http: httpx.Client, path: str, *, after: str | None, is_over: Callable[[], bool]
) -> Iterator[Event]:
    """Events until the stream ends and `is_over`; raises Refused and Unreachable."""
    heard_at = time.monotonic()
    while True:
        try:
            for event in _stream(http, path, after):
                after, heard_at = event.id, time.monotonic()
                yield event
            if is_over():
                return
        except (httpx.TransportError, Unreachable) as error:
            if time.monotonic() - heard_at > _PATIENCE_S:
                raise Unreachable(f"{http.base_url} does not answer: {error}") from error
        else:
            heard_at = time.monotonic()
        time.sleep(_AGAIN_S)


def _stream(http: httpx.Client, path: str, after: str | None) -> Iterator[Event]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
    with http.stream("GET", path, headers=headers, timeout=_TIMEOUT) as response:
        if response.status_code in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY):
            raise Unreachable(f"the service answers {response.status_code}")
        if response.is_error:
            response.read()
            raise refusal(response)
        yield from parsed(response.iter_lines())


def parsed(lines: Iterable[str]) -> Iterator[Event]:
    """The events that lines of a stream make; one that was cut short is none."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "data" in fields and "id" in fields:
                kind = fields.get("event", "message")
                yield Event(id=fields["id"], kind=kind, data=json.loads(fields["data"]))
            fields = {}
