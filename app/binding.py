"""The socket that the service listens on, refused with a reason before anything is loaded."""

import errno
import ipaddress
import socket

from app.errors import BindingRefused
from app.keys import KeyRing

_BACKLOG = 1024


def bind(host: str, port: int, *, keys: KeyRing | None) -> socket.socket:
    """A listening socket, without keys on a loopback address alone; raises BindingRefused."""
    family, address = _resolved(host, port)
    _demand_keys(keys, host, address=address)
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise BindingRefused(_reason(error, host, port=port)) from error
    return bound


def inherited(descriptor: int, *, keys: KeyRing | None) -> socket.socket:
    """A listening socket that the starting process opened and keeps; raises BindingRefused."""
    try:
        bound = socket.socket(fileno=descriptor)
    except OSError as error:
        raise BindingRefused(
            f"descriptor {descriptor} (SENTISCOPE_LISTEN_FD) is no socket: {error.strerror}"
        ) from error
    address = str(bound.getsockname()[0])
    try:
        _demand_keys(keys, address, address=address)
    except BindingRefused:
        bound.close()
        raise
    return bound


def url(bound: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _demand_keys(keys: KeyRing | None, host: str, *, address: str) -> None:
    if keys is None and not ipaddress.ip_address(address).is_loopback:
        raise BindingRefused(
            f"listening on {host} is refused: no API keys are configured, so everyone who "
            "reaches this machine could use and change the models; make one with `sentiscope "
            "keys create NAME --scope predict`, or listen on 127.0.0.1 (SENTISCOPE_HOST)"
        )


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BindingRefused(f"{host!r} is not an address of this machine: {error}") from error
    found.sort(key=lambda each: each[0] != socket.AF_INET)
    family, _, _, _, address = found[0]
    return family, str(address[0])


def _reason(error: OSError, host: str, *, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; choose another with PORT={port + 1}"
    return f"cannot listen on {host} port {port}: {error.strerror}"
