"""Where a service is, and how a client shows who it is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

from sentiscope.service.errors import Unreachable, UnusableKey
from sentiscope.service_defaults import URL

URL_VARIABLE, KEY_VARIABLE = "SENTISCOPE_URL", "SENTISCOPE_API_KEY"
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
"""Of reading: the service itself gives up after 30 s, and then says so."""


@dataclass(frozen=True, slots=True)
class Address:
    """A service's address, without a slash at its end, and the headers of every request."""

    url: str
    headers: Mapping[str, str]

    @classmethod
    def found(cls, url: str | None, key: str | None) -> Self:
        """What is given, else the environment's; raises Unreachable and UnusableKey."""
        url = (url or os.environ.get(URL_VARIABLE) or URL).rstrip("/")
        if not _is_address(url):
            raise Unreachable(f"given the address {url!r}; expected one such as {URL}")
        key = (key or os.environ.get(KEY_VARIABLE, "")).strip()
        if not (key.isascii() and key.isprintable()):
            raise UnusableKey(
                "the API key has characters that no key has; expected one as `sentiscope keys "
                "create` printed it"
            )
        return cls(url, {"Authorization": f"Bearer {key}"} if key else {})

    def settings(self) -> dict[str, Any]:
        """How httpx takes it."""
        return {"base_url": self.url, "headers": dict(self.headers), "timeout": _TIMEOUT}


def _is_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)
