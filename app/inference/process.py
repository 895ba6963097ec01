"""A process that runs images, one at a time: what it does from its first to its last moment."""

import pickle
import socket
import time
import traceback
from typing import BinaryIO, cast

from app.inference.messages import LENGTH, Failure, Models, Reply, receive

_BUFFER_BYTES = 256 * 1024
"""Most images come whole with one call of the system."""


def work(connection: socket.socket, models: Models) -> None:
    """Do what the service asks for, in that order, until it closes the connection."""
    with connection, cast(BinaryIO, connection.makefile("rb", _BUFFER_BYTES)) as stream:
        while (reply := _next_reply(stream, models)) is not None:
            content = _packed(reply)
            connection.sendall(LENGTH.pack(len(content)) + content)


def _next_reply(stream: BinaryIO, models: Models) -> Reply | Failure | None:
    try:
        message = receive(stream, models)
        if message is None:
            return None
        began = time.perf_counter()
        return Reply(message.act(models), began, time.perf_counter() - began)
    except ConnectionError:  # the service is gone
        return None
    except BaseException as error:  # the boundary of the process: it goes on in the service
        return Failure(error)


def _packed(reply: Reply | Failure) -> bytes:
    try:
        return pickle.dumps(reply, pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError):
        if not isinstance(reply, Failure):
            raise
        said = "".join(traceback.format_exception(reply.error))
        return pickle.dumps(Failure(RuntimeError(said)), pickle.HIGHEST_PROTOCOL)
