"""What the service tells a process that runs images, and what that answers.

Pickled: both ends are the same program on a private pair of sockets. A model is named by the
digest of its bundle; it is in memory on the other side.
"""

import io
import pickle
import struct
from collections.abc import Callable, Collection, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from app.errors import ModelNotServable
from app.loaded_model import LoadedModel
from models.bundle import Bundle
from models.manifest import Precision
from models.runtime import Provider
from models.selection import Choice, open_session

LENGTH = struct.Struct("<Q")
"""In front of a message: how many parts it has, and their lengths; of an answer: its length."""

Models = MutableMapping[str, LoadedModel]
"""In memory, by the digest of their bundles."""


@dataclass(frozen=True, slots=True)
class Load:
    """Have a bundle in memory, and say which of its graphs."""

    path: Path
    digest: str
    choice: Choice
    threads: int

    def act(self, models: Models) -> Precision:
        """Open, check and warm up; raises ModelError."""
        bundle = Bundle.open(self.path)
        if bundle.digest != self.digest:
            raise ModelNotServable(f"{bundle.label} is no longer what was loaded; ask again")
        session = open_session(bundle, self.choice, provider=Provider.CPU, threads=self.threads)
        models[self.digest] = LoadedModel.of(session)
        return session.precision


@dataclass(frozen=True, slots=True)
class Unload:
    """Forget a bundle that nobody will name again."""

    digest: str

    def act(self, models: Models) -> None:
        """Free its memory."""
        models.pop(self.digest, None)


@dataclass(frozen=True)
class Run:
    """Do a job."""

    job: Callable[[], Any]

    def act(self, models: Models) -> Any:
        """What it returns or raises."""
        del models  # those that it needs are in it by now
        return self.job()


Message = Load | Unload | Run


@dataclass(frozen=True, slots=True)
class Packed:
    """A message as the parts that are sent, and the models that it names.

    The first part is the lengths, the second the pickle; the bytes of images follow as they are.
    """

    parts: Sequence[bytes | memoryview]
    models: Collection[LoadedModel]


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, keep: Callable[[pickle.PickleBuffer], object]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL, buffer_callback=keep)
        self.models: dict[str, LoadedModel] = {}

    def persistent_id(self, value: Any) -> str | None:
        """A model's digest; other values go whole."""
        if type(value) is not LoadedModel:
            return None
        self.models[value.bundle.digest] = value
        return value.bundle.digest


class _Unpacker(pickle.Unpickler):
    def __init__(self, content: bytes, apart: Sequence[bytes], models: Models) -> None:
        super().__init__(io.BytesIO(content), buffers=apart)
        self._models = models

    def persistent_load(self, digest: str) -> LoadedModel:
        """The model of that digest; raises ModelNotServable where it could not be loaded."""
        found = self._models.get(digest)
        if found is None:
            raise ModelNotServable("the model could not be loaded again; see the service's log")
        return found


def pack(message: Message) -> Packed:
    """What to send."""
    file = io.BytesIO()
    apart: list[pickle.PickleBuffer] = []
    packer = _Packer(file, apart.append)
    packer.dump(message)
    parts = [file.getbuffer(), *(buffer.raw() for buffer in apart)]
    lengths = struct.pack(f"<{len(parts) + 1}Q", len(parts), *map(len, parts))
    return Packed([lengths, *parts], packer.models.values())


def receive(stream: BinaryIO, models: Models) -> Message | None:
    """The next message, its models taken from `models`; None where the connection was closed."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    lengths = stream.read(LENGTH.size * LENGTH.unpack(head)[0])
    content, *apart = [stream.read(length) for (length,) in LENGTH.iter_unpack(lengths)]
    message: Message = _Unpacker(content, apart, models).load()
    return message


class Reply(NamedTuple):
    """What became of a message."""

    value: Any
    began: float
    """On the clock of `time.perf_counter`, which all processes of a machine share."""

    ran_s: float


class Failure(NamedTuple):
    """What a message led to instead of a value."""

    error: BaseException
