"""One image from one address: redirects, status and size; what is refused says nothing of it."""

import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Self

import httpcore
import httpx

from app.addresses import is_public, is_public_or_private
from app.errors import BodyTooLarge, ImageNotFetched, MalformedRequest, RequestError, UrlRefused
from app.pinned_network import AddressRefused, PinnedNetwork, Resolve
from app.url_rules import UrlRule, origin_of, rule_of

_MAX_REDIRECTS = 3
_CONNECT_S = 3.0
"""Of each address of a name, so that a dead one leaves time for the next."""

_KEEPALIVE_S = 5.0
_HEADERS = (
    (b"Accept", b"image/*"),
    (b"Accept-Encoding", b"identity"),
    (b"User-Agent", b"sentiscope"),
)
_REDIRECTS = (301, 302, 303, 307, 308)
_FAILURES = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    ssl.SSLError,  # which httpcore lets through where it comes after the handshake
)
_log = logging.getLogger(__name__)


class Budget:
    """Bytes that the images of one request may have in all."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def check(self, size: int) -> None:
        """Raise BodyTooLarge where `size` bytes are more than are left."""
        if size > self._left:
            raise BodyTooLarge(
                f"the images fetched for one request have more than {self._most} bytes, the limit"
            )

    def take(self, size: int) -> None:
        """Count `size` bytes; raises BodyTooLarge."""
        self.check(size)
        self._left -= size

    def give_back(self, size: int) -> None:
        """Of an image that came to nothing."""
        self._left += size


@dataclass(frozen=True, slots=True)
class Target:
    """An address that the operator allowed."""

    url: httpx.URL
    rule: UrlRule


@dataclass(frozen=True, slots=True)
class Downloader:
    """Fetches from hosts of `rules` alone, over connections to addresses that were checked."""

    rules: Sequence[UrlRule]
    public: httpcore.AsyncConnectionPool
    private: httpcore.AsyncConnectionPool

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        rules: Sequence[UrlRule],
        *,
        resolve: Resolve,
        network: httpcore.AsyncNetworkBackend,
        tls: ssl.SSLContext,
    ) -> AsyncIterator[Self]:
        """A downloader whose connections are closed in the end."""
        async with AsyncExitStack() as stack:
            public, private = [
                await stack.enter_async_context(
                    httpcore.AsyncConnectionPool(
                        ssl_context=tls,
                        max_connections=None,  # its user bounds them
                        keepalive_expiry=_KEEPALIVE_S,
                        network_backend=PinnedNetwork(permits, resolve=resolve, network=network),
                    )
                )
                for permits in (is_public, is_public_or_private)
            ]
            yield cls(rules, public, private)

    def target(self, text: str) -> Target:
        """The address that a client gave; raises MalformedRequest and UrlRefused."""
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL as error:
            raise MalformedRequest(f"it is no address: {error}") from error
        if url.is_relative_url:
            raise MalformedRequest("it is no whole address, such as https://example.org/a.jpg")
        return self._allowed(url)

    async def get(self, target: Target, budget: Budget) -> bytes:
        """What is there; raises UrlRefused, ImageNotFetched and BodyTooLarge."""
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                found = await self._asked(target, budget)
                if isinstance(found, bytes):
                    return found
                target = self._redirected(target, found)
        except AddressRefused as error:
            raise UrlRefused("the host's address is not one that may be connected to") from error
        except _FAILURES as error:
            _log.info("cannot fetch from %s: %r", target.url.host, error)
            raise ImageNotFetched("the host cannot be reached, or broke off") from error
        raise ImageNotFetched(f"the host redirects more than {_MAX_REDIRECTS} times")

    def _allowed(self, url: httpx.URL) -> Target:
        if url.userinfo:
            raise UrlRefused("an address with a name or password in it is not fetched")
        origin = origin_of(url.scheme, url.raw_host.decode("ascii"), url.port)
        rule = None if origin is None else rule_of(origin, self.rules)
        if rule is None:
            raise UrlRefused(
                f"images are not fetched from {url.scheme}://{url.netloc.decode('ascii')}; "
                "the operator allows hosts (SENTISCOPE_URL_HOSTS)"
            )
        return Target(url, rule)

    def _redirected(self, target: Target, location: str) -> Target:
        """Where a redirect leads, checked as if it were given; the answer does not name it."""
        refusal = UrlRefused("the host redirects to an address that is not allowed")
        try:
            found = self._allowed(target.url.join(location))
        except (RequestError, httpx.InvalidURL) as error:
            raise refusal from error
        if found.rule.private and not target.rule.private:  # no stranger leads us into the house
            raise refusal
        return found

    async def _asked(self, target: Target, budget: Budget) -> bytes | str:
        """The content, or where a redirect leads."""
        pool = self.private if target.rule.private else self.public
        async with pool.stream(
            "GET",
            _core_url(target),
            headers=[(b"Host", target.url.netloc), *_HEADERS],
            extensions={"timeout": {"connect": _CONNECT_S}},
        ) as response:
            headers = httpx.Headers(response.headers)
            if response.status in _REDIRECTS and "location" in headers:
                return headers["location"]
            if response.status != 200:
                raise ImageNotFetched(f"the host answers with status {response.status}")
            if headers.get("content-encoding", "identity") != "identity":
                raise ImageNotFetched("the host sends it compressed, though asked not to")
            return await _content(response, headers.get("content-length", ""), budget)


async def _content(response: httpcore.Response, declared: str, budget: Budget) -> bytes:
    if declared.isdecimal():
        budget.check(int(declared))
    content = bytearray()
    try:
        async for chunk in response.aiter_stream():
            budget.take(len(chunk))
            content += chunk
    except BaseException:
        budget.give_back(len(content))
        raise
    return bytes(content)


def _core_url(target: Target) -> httpcore.URL:
    """Host and port as they were checked: no second reading of the address."""
    origin, url = target.rule.origin, target.url
    return httpcore.URL(
        scheme=origin.scheme.encode(), host=url.raw_host, port=origin.port, target=url.raw_path
    )
