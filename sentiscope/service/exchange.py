"""A talk as it is held over a network that fails: requests are sent again where that may help."""

import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeAlias, TypeVar

import httpx

from sentiscope.service.errors import SentiscopeError, Unreachable, refusal
from sentiscope.service.problem import problem_of
from sentiscope.service.retries import Retries
from sentiscope.service.talk import Pause, Request, Talk

T = TypeVar("T")
Outcome: TypeAlias = httpx.Response | httpx.RequestError
Steps: TypeAlias = Generator[Request | Pause, Outcome | None, T]
"""What a line is to do, one after the other; it is told the outcome of each request."""


def steps(talk: Talk[T], *, url: str, retries: Retries) -> Steps[T]:
    """All that is to be done for a talk with the service at `url`; raises SentiscopeError."""
    said: Any = None
    while True:
        try:
            step = talk.throw(said) if isinstance(said, Exception) else talk.send(said)
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            with reaching(url):
                said = (
                    (yield step) if isinstance(step, Pause) else (yield from _sent(step, retries))
                )
        except SentiscopeError as error:
            said = error


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """A connection that fails is a service that does not answer; raises Unreachable."""
    try:
        yield
    except (httpx.RequestError, ssl.SSLError) as error:
        raise Unreachable(f"{url} does not answer: {error or type(error).__name__}") from error


def _sent(request: Request, retries: Retries) -> Steps[httpx.Response]:
    """The answer to a request, however often it is sent."""
    attempts = retries.of(request)
    while True:
        outcome = yield request
        assert outcome is not None
        pause_s = attempts.pause_s(outcome)
        if pause_s is None:
            return _response(request, outcome)
        yield Pause(pause_s)


def _response(request: Request, outcome: Outcome) -> httpx.Response:
    if isinstance(outcome, httpx.RequestError):
        raise outcome
    if not outcome.is_success and outcome.status_code not in request.accepted:
        raise_refused(outcome)
    return outcome


def raise_refused(response: httpx.Response) -> NoReturn:
    """The error that an answer is, all of which has been read."""
    raise refusal(problem_of(response))
