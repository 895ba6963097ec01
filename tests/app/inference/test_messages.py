import pickle
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import BinaryIO, cast

import pytest

from app.errors import ModelNotServable
from app.inference.messages import LENGTH, Failure, Load, Message, Models, Reply, Run, Unload, pack
from app.inference.process import work
from app.loaded_model import LoadedModel
from app.uploads import Upload
from models.bundle import Bundle
from models.manifest import Precision
from models.runtime import Session
from models.selection import Choice
from tests.tiny_bundle import write_tiny_bundle


class Unpicklable(Exception):
    """Cannot leave its process."""

    def __init__(self) -> None:
        super().__init__("held back")
        self.lock = Lock()


@contextmanager
def working(models: Models) -> Iterator["Service"]:
    """A process's work, in a thread of this one."""
    ours, theirs = socket.socketpair()
    thread = Thread(target=work, args=(theirs, models))
    thread.start()
    with ours, cast(BinaryIO, ours.makefile("rb")) as stream:
        yield Service(ours, stream)
        ours.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    assert not thread.is_alive()


class Service:
    """The other end."""

    def __init__(self, connection: socket.socket, stream: BinaryIO) -> None:
        self._connection, self._stream = connection, stream

    def ask(self, message: Message) -> Reply | Failure:
        """Send a message and wait for what becomes of it."""
        for part in pack(message).parts:
            self._connection.sendall(part)
        (length,) = LENGTH.unpack(self._stream.read(LENGTH.size))
        reply: Reply | Failure = pickle.loads(self._stream.read(length))
        return reply


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    write_tiny_bundle(tmp_path)
    return Bundle.open(tmp_path)


def _fail(error: BaseException) -> None:
    raise error


def _refuse() -> None:
    raise Unpicklable


def test_jobs_are_done_and_answered_in_their_order() -> None:
    with working({}) as service:
        for number in range(3):
            reply = service.ask(Run(partial(divmod, 10 + number, 7)))
            assert isinstance(reply, Reply)
            assert reply.value == divmod(10 + number, 7)
            assert reply.ran_s >= 0


def test_what_a_job_raises_comes_back_and_the_process_goes_on() -> None:
    with working({}) as service:
        failed = service.ask(Run(partial(_fail, ModelNotServable("why"))))
        assert isinstance(failed, Failure)
        assert isinstance(failed.error, ModelNotServable)
        assert failed.error.detail == "why"
        assert isinstance(service.ask(Run(partial(int, 1))), Reply)


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    with working({}) as service:
        failed = service.ask(Run(_refuse))
        assert isinstance(failed, Failure)
        assert "Unpicklable: held back" in str(failed.error)


def test_bytes_of_an_image_travel_apart_and_arrive_as_they_were() -> None:
    upload = Upload("a.jpg", bytes(range(256)) * 1000)
    packed = pack(Run(partial(_content, upload)))
    assert [len(part) for part in packed.parts[2:]] == [256_000]
    with working({}) as service:
        reply = service.ask(Run(partial(_content, upload)))
        assert isinstance(reply, Reply)
        assert reply.value == upload.content


def _content(upload: Upload) -> bytes:
    assert isinstance(upload.content, bytes)
    return upload.content


def _label(model: LoadedModel) -> str:
    return model.bundle.label


def test_a_model_is_named_and_not_sent(bundle: Bundle) -> None:
    model = LoadedModel.of(Session.open(bundle, threads=1))
    packed = pack(Run(partial(_label, model)))
    assert list(packed.models) == [model]
    assert sum(map(len, packed.parts)) < 1000
    models: Models = {}
    with working(models) as service:
        missing = service.ask(Run(partial(_label, model)))
        assert isinstance(missing, Failure)
        assert "could not be loaded" in str(missing.error)
        loaded = service.ask(Load(bundle.path, bundle.digest, Choice.FP32, threads=1))
        assert isinstance(loaded, Reply)
        assert loaded.value is Precision.FP32
        named = service.ask(Run(partial(_label, model)))
        assert isinstance(named, Reply)
        assert named.value == bundle.label
        service.ask(Unload(bundle.digest))
        assert models == {}


def test_a_bundle_that_changed_since_is_not_loaded_for_another(bundle: Bundle) -> None:
    with working({}) as service:
        failed = service.ask(Load(bundle.path, "0" * 64, Choice.FP32, threads=1))
        assert isinstance(failed, Failure)
        assert "no longer" in str(failed.error)
