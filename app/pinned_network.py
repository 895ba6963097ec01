"""Connections to addresses that were checked: a name is resolved once, and that answer is used."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from app.addresses import Address, Permits

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
"""The addresses of a name, the preferred first; raises OSError."""

_log = logging.getLogger(__name__)


class AddressRefused(Exception):
    """The name leads to an address that is not permitted."""


class Resolver:
    """Asks the system, on threads of its own: a name server that hangs holds up nobody else."""

    def __init__(self, *, at_once: int) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of `host`; raises OSError."""
        asking = asyncio.get_running_loop().run_in_executor(self._pool, _resolved, host, port)
        return await asking

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class PinnedNetwork(AsyncNetworkBackend):
    """Connects to the very address that was found to be permitted.

    All addresses of a name have to be: one that is not shows that somebody else has a hand in it.
    TLS, which comes later, is still asked for by name.
    """

    def __init__(self, permits: Permits, *, resolve: Resolve, network: AsyncNetworkBackend) -> None:
        self._permits, self._resolve, self._network = permits, resolve, network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """A connection to `host`; raises AddressRefused, and what httpcore does."""
        failure: Exception | None = None
        for address in await self._checked(host, port):
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("the name has no address")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)

    async def _checked(self, host: str, port: int) -> Sequence[Address]:
        try:
            found = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in found:
            if not self._permits(address):
                _log.warning("refused to connect to %s: it resolves to %s", host, address)
                raise AddressRefused
        return found


def _resolved(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is too long
        raise OSError(f"{host!r} is no name: {error}") from error
    return list(dict.fromkeys(ipaddress.ip_address(str(each[4][0])) for each in found))
