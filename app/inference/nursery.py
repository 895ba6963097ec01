"""Where processes come from: a fork that has everything imported, and never had a thread.

Forked from the service at its very start, it forks in turn whenever the service wants a process:
a service with threads cannot do that itself, and one that imports anew takes half a second and
its own copy of every library.
"""

import gc
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, Self

from app.inference.process import work

_ASKED = b"!"
_KEPT = 3
"""Standard input, output and error."""

_OPEN = "/dev/fd"


class NurseryGone(Exception):
    """It was killed; only a new start of the service makes another."""


@dataclass(frozen=True, slots=True)
class Nursery:
    """The service's end."""

    _asking: socket.socket

    @classmethod
    def start(cls) -> Self:
        """Fork; to be called before the process has threads, and files it does not share."""
        asking, asked = socket.socketpair()
        if os.fork() == 0:
            _run(asked)
        asked.close()
        return cls(asking)

    def process(self) -> socket.socket:
        """The connection to a new process, which ends with it; raises NurseryGone."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._asking, [_ASKED], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise NurseryGone from error
        return ours

    def close(self) -> None:
        """It ends; the processes that it made go on until their connections are closed."""
        self._asking.close()


def _run(asked: socket.socket) -> NoReturn:
    """Fork for as long as somebody may ask."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # meant for the service, which ends its requests
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    _close_all_but(asked)
    gc.freeze()
    while True:
        said, connections, _, _ = socket.recv_fds(asked, len(_ASKED), 1)
        if not said:
            os._exit(0)
        connection = socket.socket(fileno=connections[0])
        if os.fork() == 0:
            asked.close()
            _work(connection)
        connection.close()


def _work(connection: socket.socket) -> NoReturn:
    status = 1
    try:
        work(connection, {})
        status = 0
    finally:
        os._exit(status)  # what the service would do at its end is not for us to do


def _close_all_but(kept: socket.socket) -> None:
    """What the service holds open, a port above all, is not to stay open because of us."""
    for number in map(int, os.listdir(_OPEN)):
        if number >= _KEPT and number != kept.fileno():
            with suppress(OSError):  # that of the listing itself
                os.close(number)
