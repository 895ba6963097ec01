"""The jobs of a service, over its REST API; what may be repeated is, when the service is away."""

import time
import uuid
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx

from sentiscope.event_stream import follow
from sentiscope.service_defaults import PATIENCE_S, URL
from sentiscope.service_errors import Unreachable, refusal
from sentiscope.service_values import Artifact, Event, Job

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_AWAY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.25, 5.0


class Client:
    """One service. Raises Refused with what it says, and Unreachable when it says nothing."""

    def __init__(
        self, url: str = URL, *, key: str | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=_TIMEOUT, headers=headers)
        self._patience_s = patience_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def submit(self, kind: str, config: Mapping[str, object], **asked: object) -> Job:
        """A new job, made once however often the request is sent; `asked`: name, labels, gpus."""
        given = {name: value for name, value in asked.items() if value}
        response = self._send(
            "POST",
            "/v1/jobs",
            repeatable=True,
            json={"kind": kind, "config": dict(config), **given},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        return Job.model_validate_json(response.content)

    def job(self, job_id: str) -> Job:
        """A job's record."""
        return Job.model_validate(self.record(job_id))

    def record(self, job_id: str) -> dict[str, Any]:
        """A job's record with all of its fields."""
        found: dict[str, Any] = self._get(f"/v1/jobs/{job_id}").json()
        return found

    def jobs(self, **wanted: str | int | None) -> Iterator[Job]:
        """Jobs, newest first; `wanted`: status, kind, parent_id."""
        query = {name: value for name, value in wanted.items() if value is not None}
        cursor: str | None = ""
        while cursor is not None:
            page = self._get("/v1/jobs", **query, **({"cursor": cursor} if cursor else {})).json()
            yield from map(Job.model_validate, page["items"])
            cursor = page["next_cursor"]

    def act(self, job_id: str, action: str) -> Job:
        """Ask for `cancel`, `pause`, `resume` or `retry`; the record as it is then."""
        response = self._send("POST", f"/v1/jobs/{job_id}/{action}", repeatable=False)
        return Job.model_validate_json(response.content)

    def events(self, job_id: str, *, after: str | None = None) -> Iterator[Event]:
        """What the job tells, as it comes, until it has ended; a lost stream is taken up again."""
        return follow(
            self._http,
            f"/v1/jobs/{job_id}/events",
            after=after,
            is_over=lambda: self.job(job_id).has_ended,
        )

    def log(self, job_id: str, *, lines: int) -> str:
        """The end of the job's log."""
        return self._get(f"/v1/jobs/{job_id}/logs", tail=lines).text

    def log_from(self, job_id: str, start: int) -> tuple[bytes, int]:
        """What the log holds from a byte on, and the byte to go on from."""
        response = self._send(
            "GET",
            f"/v1/jobs/{job_id}/artifacts/log.txt",
            repeatable=True,
            accepted=(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, HTTPStatus.NOT_FOUND),
            headers={"Range": f"bytes={start}-"},
        )
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            return response.content, start + len(response.content)
        if response.status_code == HTTPStatus.OK:
            return response.content, len(response.content)
        size = response.headers.get("Content-Range", "").rpartition("/")[2]
        return b"", start if size == str(start) else 0  # a smaller one was begun anew

    def artifacts(self, job_id: str) -> tuple[Artifact, ...]:
        """The files that the job made."""
        found = self._get(f"/v1/jobs/{job_id}/artifacts").json()["items"]
        return tuple(map(Artifact.model_validate, found))

    def artifact(self, job_id: str, path: str) -> Iterator[bytes]:
        """The content of one of them, in parts."""
        with self._http.stream("GET", f"/v1/jobs/{job_id}/artifacts/{path}") as response:
            if response.is_error:
                response.read()
                raise refusal(response)
            yield from response.iter_bytes()

    def _get(self, path: str, **query: str | int) -> httpx.Response:
        return self._send("GET", path, repeatable=True, params=query)

    def _send(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        accepted: tuple[HTTPStatus, ...] = (),
        **request: Any,
    ) -> httpx.Response:
        """The answer; requests that may be repeated are, for as long as the patience lasts."""
        until = time.monotonic() + self._patience_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                response = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                never_arrived = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if not (repeatable or never_arrived) or time.monotonic() + pause_s > until:
                    raise Unreachable(f"{self.url} does not answer: {error}") from error
                wait_s = pause_s
            else:
                wait_s = max(pause_s, retry_after_s(response))
                is_final = response.status_code not in _AWAY or not repeatable
                if is_final or time.monotonic() + wait_s > until:
                    break
            time.sleep(wait_s)
            pause_s = min(2 * pause_s, _LAST_PAUSE_S)
        if response.is_error and response.status_code not in accepted:
            raise refusal(response)
        return response


def retry_after_s(response: httpx.Response) -> float:
    """Seconds that the service asks to wait for; 0 where it does not say."""
    said = response.headers.get("Retry-After", "")
    if said.isdigit():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
