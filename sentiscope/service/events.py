"""Server-sent events, taken up again after the last one whenever the connection is lost.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from sentiscope.service.errors import Unintelligible, Unreachable
from sentiscope.service.job import Event
from sentiscope.service.talk import Request, path_to

_TIMEOUT = httpx.Timeout(10.0, read=45.0)
"""The service sends a comment every 15 s: three in a row that do not come are a lost stream."""

AGAIN_S = 1.0
"""Seconds after which a lost stream is asked for again."""


@dataclass(slots=True)
class EventParser:
    """The events in a stream's bytes, however they are cut; one that was cut short is none."""

    _rest: bytes = b""
    _fields: dict[str, str] = field(default_factory=dict)

    def feed(self, part: bytes) -> Iterator[Event]:
        """The events that are complete with this part; raises Unintelligible."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in (line.rstrip(b"\r").decode(errors="replace") for line in lines):
            if line:
                name, _, value = line.partition(":")
                self._fields[name] = value.removeprefix(" ")
            else:
                yield from self._event()

    def _event(self) -> Iterator[Event]:
        found, self._fields = self._fields, {}
        if "data" in found and "id" in found:
            yield _event(found["id"], found.get("event", "message"), found["data"])


def _event(name: str, kind: str, data: str) -> Event:
    try:
        return Event(id=name, kind=kind, data=json.loads(data))
    except ValueError as error:
        raise Unintelligible(f"a stream of events has {data!r:.80}; expected JSON") from error


class Following:
    """How far one client is in the events of one job."""

    def __init__(self, job_id: str, *, after: str | None, patience_s: float) -> None:
        self.job_id = job_id
        self._after = after
        self._patience_s = patience_s
        self._heard_at = time.monotonic()
        self._parser = EventParser()

    def request(self) -> Request:
        """The stream from the last event on."""
        self._parser = EventParser()
        seen = {"Last-Event-ID": self._after} if self._after else {}
        return Request(
            "GET",
            path_to("jobs", self.job_id, "events"),
            headers={"Accept": "text/event-stream", **seen},
            timeout=_TIMEOUT,
        )

    def heard(self, part: bytes) -> Iterator[Event]:
        """The events in what has come, none of which will be asked for again."""
        self._heard_at = time.monotonic()
        for event in self._parser.feed(part):
            self._after = event.id
            yield event

    def lost(self, error: Exception) -> None:
        """The stream has broken off; raises Unreachable when it has been away for too long."""
        away_s = time.monotonic() - self._heard_at
        if away_s > self._patience_s:
            raise Unreachable(f"no events for {away_s:.0f} s: {error}") from error
