"""A form with archives, put on the disk as it arrives and never held in memory."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.errors import BodyTooLarge, MalformedRequest
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
        self.complete = False
        self._written = self._looked_at = self._small_bytes = 0
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._value = bytearray()
        self._name = ""
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._part_is_named,
                    "on_part_data": self._data,
                    "on_part_end": self._part_ends,
                    "on_end": self._form_ends,
                },
            )
        except FormParserError as error:
            raise MalformedRequest(f"the multipart boundary is unusable: {error}") from error

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body; raises RequestError, DiskFull and what `begin` does."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedRequest(f"the multipart body is not well-formed: {error}") from error

    def close(self) -> None:
        """Close the file that was being written when the body broke off."""
        if self._file:
            self._file.close()

    def _part_begins(self) -> None:
        if sum(map(len, self.fields.values())) + len(self.archives) > _MOST_FIELDS:
            raise BodyTooLarge(f"the form has more than {_MOST_FIELDS} parts")
        self._disposition, self._value = b"", bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(self._small(data[start:end]))

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(self._small(data[start:end]))

    def _header_ends(self) -> None:
        name, value = map(bytes, self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() == b"content-disposition":
            self._disposition = value

    def _part_is_named(self) -> None:
        _, parameters = parse_options_header(self._disposition)
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

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._value += self._small(data[start:end])
            return
        piece = data[start:end]
        self._written += len(piece)
        if self._written > self._max_bytes:
            raise BodyTooLarge(f"the archives have more than {self._max_bytes} bytes, the limit")
        if self._written - self._looked_at > _ROOM_BYTES:
            self._looked_at = self._written
            check_room(self._folder, _ROOM_BYTES)
        self._digest.update(piece)
        self._file.write(piece)

    def _part_ends(self) -> None:
        if self._file is None:
            self.fields.setdefault(self._name, []).append(self._value.decode("utf-8", "replace"))
            return
        path = Path(self._file.name)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        self.archives.append(Archive(path, self._digest.hexdigest()))

    def _form_ends(self) -> None:
        self.complete = True

    def _small(self, data: bytes) -> bytes:
        """Bytes that are kept in memory, of which there may be few."""
        self._small_bytes += len(data)
        if self._small_bytes > FIELD_BYTES:
            raise BodyTooLarge(f"the form's fields have more than {FIELD_BYTES} bytes, the limit")
        return data
