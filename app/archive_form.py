"""A form with archives, put on the disk as it arrives and never held in memory."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.errors import BodyTooLarge, MalformedRequest
from app.multipart import Multipart, Parameters
from app.uploads import plain_name
from worker.disk import check_room
from worker.import_sources import archive_name

ARCHIVE = "archive"
FIELD_BYTES = 64 * 1024
"""What headers and fields of a form may have together."""

_MOST_ARCHIVES = 16
_MOST_FIELDS = 64
_ROOM_BYTES = 64 * 2**20
"""So often it is looked whether there is still room on the disk."""

Fields = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive on the disk."""

    path: Path
    sha256: str


class ArchiveForm:
    """Takes a multipart body chunk by chunk: parts named `archive` into `folder`.

    `begin` is told the fields so far before the first archive is taken, so that it can refuse.
    """

    def __init__(
        self, boundary: bytes, folder: Path, *, max_bytes: int, begin: Callable[[Fields], None]
    ) -> None:
        self._folder, self._max_bytes, self._begin = folder, max_bytes, begin
        self.fields: Fields = {}
        self.archives: list[Archive] = []
        self._written = self._looked_at = self._small_bytes = 0
        self._value = bytearray()
        self._name = ""
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._body = Multipart(boundary, self)

    @property
    def complete(self) -> bool:
        """Whether all of the body came."""
        return self._body.complete

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body; raises RequestError, DiskFull and what `begin` does."""
        self._body.feed(chunk)

    def close(self) -> None:
        """Close the file that was being written when the body broke off."""
        if self._file:
            self._file.close()

    def part_begins(self) -> None:
        """Take one more part; raises BodyTooLarge."""
        if sum(map(len, self.fields.values())) + len(self.archives) > _MOST_FIELDS:
            raise BodyTooLarge(f"the form has more than {_MOST_FIELDS} parts")
        self._value = bytearray()

    def header_grows(self, size: int) -> None:
        """Count it as small; raises BodyTooLarge."""
        self._count_small(size)

    def part_is_named(self, parameters: Parameters) -> None:
        """Open the archive that this part is, or make ready for a field."""
        self._name = parameters.get(b"name", b"").decode("utf-8", "replace")
        if self._name == ARCHIVE:
            given = parameters.get(b"filename", b"").decode("utf-8", "replace")
            self._open(plain_name(given))

    def _open(self, given: str | None) -> None:
        if not self.archives:
            self._begin(self.fields)
            self._folder.mkdir(parents=True)
        name = archive_name(given, len(self.archives))
        if any(archive.path.name == name for archive in self.archives):
            raise MalformedRequest(f"two archives are called {name!r}; give each a name of its own")
        if len(self.archives) == _MOST_ARCHIVES:
            raise BodyTooLarge(f"the form has more than {_MOST_ARCHIVES} archives, the limit")
        self._digest = hashlib.sha256()
        self._file = (self._folder / name).open("xb")

    def data(self, piece: bytes) -> None:
        """Write a piece of the archive, or keep one of a field; raises BodyTooLarge, DiskFull."""
        if self._file is None:
            self._count_small(len(piece))
            self._value += piece
            return
        self._written += len(piece)
        if self._written > self._max_bytes:
            raise BodyTooLarge(f"the archives have more than {self._max_bytes} bytes, the limit")
        if self._written - self._looked_at > _ROOM_BYTES:
            self._looked_at = self._written
            check_room(self._folder, _ROOM_BYTES)
        self._digest.update(piece)
        self._file.write(piece)

    def part_ends(self) -> None:
        """Take the field, or the archive once it is on the disk."""
        if self._file is None:
            self.fields.setdefault(self._name, []).append(self._value.decode("utf-8", "replace"))
            return
        path = Path(self._file.name)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        self.archives.append(Archive(path, self._digest.hexdigest()))

    def _count_small(self, size: int) -> None:
        """Of what is kept in memory there may be little."""
        self._small_bytes += size
        if self._small_bytes > FIELD_BYTES:
            raise BodyTooLarge(f"the form's fields have more than {FIELD_BYTES} bytes, the limit")
