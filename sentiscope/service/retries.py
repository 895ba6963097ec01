"""When a request is sent again, and after how long."""

import math
import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from sentiscope.service.talk import Request
from sentiscope.service_defaults import PATIENCE_S

_AWAY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.25, 5.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent at most, and for how many seconds after it first failed."""

    attempts: int = 10
    patience_s: float = PATIENCE_S

    def of(self, request: Request) -> "Attempts":
        """Those of one request."""
        return Attempts(self, request)


NEVER = Retries(attempts=1)


class Attempts:
    """How one request fares; what may not be repeated is sent again only if it never arrived."""

    def __init__(self, retries: Retries, request: Request) -> None:
        self._retries = retries
        self._repeatable = request.repeatable
        self._made = 0
        self._until = math.inf

    def pause_s(self, outcome: httpx.Response | httpx.RequestError) -> float | None:
        """Seconds to wait before it is sent again; None: this outcome stands."""
        self._made += 1
        if self._made == 1:
            self._until = time.monotonic() + self._retries.patience_s
        if self._made >= self._retries.attempts or not self._may_go_again(outcome):
            return None
        longest = min(_FIRST_PAUSE_S * 2 ** (self._made - 1), _LAST_PAUSE_S)
        wait_s = random.uniform(longest / 2, longest)  # so that clients do not come back as one
        if isinstance(outcome, httpx.Response):
            wait_s = max(wait_s, retry_after_s(outcome))
        return wait_s if time.monotonic() + wait_s <= self._until else None

    def _may_go_again(self, outcome: httpx.Response | httpx.RequestError) -> bool:
        if isinstance(outcome, httpx.Response):
            return self._repeatable and outcome.status_code in _AWAY
        never_arrived = isinstance(outcome, httpx.ConnectError | httpx.ConnectTimeout)
        return never_arrived or self._repeatable


def retry_after_s(response: httpx.Response) -> float:
    """Seconds that the service asks to wait for, said as a number or a date; 0 where it does not.

    RFC 9110, section 10.2.3.
    """
    said = response.headers.get("Retry-After", "")
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
