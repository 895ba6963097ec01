"""Where processes come from: a fork that has everything imported, and never had a thread.

Forked from the service at its very start, it forks in turn whenever the service wants a process:
a service with threads cannot do that itself, and one that imports anew takes half a second and
its own copy of every library.
"""

import gc
import os
import signal
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, Self

from app import decoding
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
            _leave_after(partial(_run, asked))
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


def _run(asked: socket.socket) -> None:
    """Fork for as long as somebody may ask."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # meant for the service, which ends its requests
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    _close_all_but(asked)
    decoding.prepare()  # once, for all
    gc.freeze()
    while connections := socket.recv_fds(asked, len(_ASKED), 1)[1]:
        connection = socket.socket(fileno=connections[0])
        try:
            is_process = os.fork() == 0
        except OSError:  # no memory, or no process more: the service sees it end, and asks again
            is_process = False
        if is_process:
            asked.close()
            _leave_after(partial(work, connection, {}))
        connection.close()


def _leave_after(act: Callable[[], None]) -> NoReturn:
    """What the service does when an error or the end comes is not for a process of it to do."""
    status = 1
    try:
        act()
        status = 0
    except BaseException:  # the boundary of the process
        traceback.print_exc()
    finally:
        os._exit(status)


def _close_all_but(kept: socket.socket) -> None:
    """What the service holds open, a port above all, is not to stay open because of us."""
    for number in map(int, os.listdir(_OPEN)):
        if number >= _KEPT and number != kept.fileno():
            with suppress(OSError):  # that of the listing itself
                os.close(number)
