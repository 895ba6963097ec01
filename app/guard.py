"""Who may do what: API keys with scopes; without keys, no web page but our own."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from app import problems
from app.errors import KeyLacksScope, KeyMissing, OriginRefused, RequestError
from app.keys import KeyRing, Scope
from app.settings import LOOPBACK_NAMES

_OPEN = re.compile(
    r"/|/jobs|/models|/static/.+|/docs(/[a-z.-]+)?|/openapi\.json|/favicon\.ico|(/v2)?/health/(live|ready)"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Requests by method and path, and the scope they need."""

    methods: frozenset[str]
    path: re.Pattern[str]
    scope: Scope


_ANY = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
RULES: Sequence[Rule] = (
    Rule(frozenset({"PUT", "PATCH", "DELETE"}), re.compile(r"/v1/.*"), Scope.ADMIN),
    Rule(_ANY, re.compile(r"/v1/(jobs|presets|datasets)(/.*)?"), Scope.JOBS),
    Rule(_ANY, re.compile(r".*"), Scope.PREDICT),
)
"""The first that fits counts."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Where an answer has none of its own: pages and files do."""

_ADDED = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


@lru_cache
def needed_scope(method: str, path: str) -> Scope | None:
    """The scope that a request needs; None where everybody may."""
    if _OPEN.fullmatch(path) and method in ("GET", "HEAD", "OPTIONS"):
        return None
    asked = "GET" if method == "HEAD" else method
    for rule in RULES:
        if asked in rule.methods and rule.path.fullmatch(path):
            return rule.scope
    return Scope.ADMIN


class Guard:
    """Middleware in front of everything: refuses, and adds the security headers to what it lets by.

    With `keys`, a request needs one with the right scope. Without, the service is loopback's alone:
    a name in `Host` that is not ours is a page that had its own name point here (DNS rebinding),
    an `Origin` that is not ours a page that drives the browser of whoever sits at this machine.
    """

    def __init__(
        self, app: ASGIApp, *, keys: KeyRing | None, host_names: Iterable[str] = LOOPBACK_NAMES
    ) -> None:
        self._app, self._keys = app, keys
        self._names = frozenset(name.lower() for name in host_names)

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _secured(message["headers"])}
            await send(message)

        try:
            self._check(scope["method"], scope["path"], Headers(scope=scope))
        except RequestError as error:
            await problems.answer(Request(scope), error)(scope, receive, send_secured)
            return
        await self._app(scope, receive, send_secured)

    def _check(self, method: str, path: str, headers: Headers) -> None:
        needed = needed_scope(method, path)
        if self._keys is None:
            self._check_names(headers, is_open=needed is None)
        elif needed is not None:
            _check_key(self._keys, headers, needed)

    def _check_names(self, headers: Headers, *, is_open: bool) -> None:
        host = headers.get("host", "")
        if _name(host) not in self._names:
            raise OriginRefused(
                f"the host {host!r} is not this service's; without API keys it answers to "
                f"{', '.join(sorted(self._names))} alone (SENTISCOPE_HOST_NAMES adds names)"
            )
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            raise OriginRefused(
                f"pages of {origin!r} may not use this service; without API keys only its own page"
                " may"
            )
        if origin is None and not is_open and headers.get("sec-fetch-site") == "cross-site":
            raise OriginRefused("another site's page may not use this service without API keys")


def _check_key(keys: KeyRing, headers: Headers, needed: Scope) -> None:
    text = _given_key(headers)
    if text is None:
        raise KeyMissing("send an API key: `Authorization: Bearer <key>` or `X-API-Key: <key>`")
    key = keys.find(text)
    if key is None:
        raise KeyMissing("the API key is not known; it may have been revoked")
    if needed not in key.scopes:
        has = ", ".join(sorted(key.scopes))
        raise KeyLacksScope(f"this needs the scope {needed!s}; the key {key.name!r} has: {has}")


def _given_key(headers: Headers) -> str | None:
    kind, _, text = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and text.strip():
        return text.strip()
    return headers.get("x-api-key")


@lru_cache
def _name(host: str) -> str:
    """A `Host` header without its port, in lower case."""
    return re.sub(r":\d*$", "", host.lower())


def _secured(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {name for name, _ in headers}
    return [*headers, *(pair for pair in _ADDED if pair[0] not in present)]
