"""A tar archive from a stranger: read once from front to end, and packed anew as a zip file."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from worker.archive_entries import (
    ArchiveLimits,
    Inventory,
    NotAnArchive,
    TooMuchInArchive,
    UnsafeEntry,
    shown,
)

_CHUNK_BYTES = 1024 * 1024
_HEADER_BYTES = 256 * 1024
"""What may stand before one entry: its header, long names, extended attributes."""

_XZ_MEMORY = 128 * 2**20
"""Bytes that unpacking .xz may take; its highest preset needs 65 MiB."""

_MISREAD = (
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RecursionError,
)

Room = Callable[[int], None]
"""Told how many more bytes will be written; raises where there is no room for them."""


class Unpacked(Protocol):
    """The bytes of a tar file, one after the other."""

    def read(self, size: int, /) -> bytes: ...


class _Xz:
    """What one .xz stream holds, unpacked within a bound of memory."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._unpacking = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        unpacking = self._unpacking
        while not unpacking.eof:
            more = self._packed.read(_CHUNK_BYTES) if unpacking.needs_input else b""
            if unpacking.needs_input and not more:
                raise EOFError("it ends too early")
            content = unpacking.decompress(more, size)
            if content:
                return content
        if unpacking.unused_data.strip(b"\0") or self._packed.read(1):
            raise lzma.LZMAError("something follows its end")
        return b""


def _gzip(packed: BinaryIO) -> Unpacked:
    return gzip.GzipFile(fileobj=packed, mode="rb")


def _unpacked(packed: BinaryIO) -> Unpacked:
    """The tar file inside, told by the first bytes what it is packed with."""
    begin = packed.read(6)
    packed.seek(0)
    openers: dict[bytes, Callable[[BinaryIO], Unpacked]] = {
        b"\x1f\x8b": _gzip,
        b"BZh": bz2.BZ2File,
        b"\xfd7zXZ\0": _Xz,
    }
    for mark, opener in openers.items():
        if begin.startswith(mark):
            return opener(packed)
    return packed


class _Forward(io.RawIOBase):
    """A tar file that is only read forward, and never much of it at once."""

    def __init__(self, packed: BinaryIO, limits: ArchiveLimits) -> None:
        self._packed = packed
        self._source = _unpacked(packed)
        self._limits = limits
        self._place = 0
        self._header_bytes = 0
        self.last = b""
        """What was read last."""

    def begin_entry(self) -> None:
        """Allow the headers of another entry."""
        self._header_bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """Bytes of a header."""
        self._header_bytes += size
        if size < 0 or self._header_bytes > _HEADER_BYTES:
            raise TooMuchInArchive(
                f"the archive has more than {_HEADER_BYTES} bytes of headers before one entry"
            )
        self.last = b"".join(self.pieces(size))
        return self.last

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, fewer at the end, in pieces."""
        while size > 0:
            piece = self._source.read(min(size, _CHUNK_BYTES))
            if not piece:
                return
            size -= len(piece)
            self._place += len(piece)
            self._limits.check_ratio(self._place, self._packed.tell())
            yield piece

    def drain(self) -> None:
        """Read to the end, where packed files have their checksum."""
        for _ in self.pieces(self._limits.max_unpacked_bytes):
            pass

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or offset < self._place:
            raise tarfile.ReadError("its entries do not follow each other")
        for _ in self.pieces(offset - self._place):
            pass
        return self._place


def repack_tar(path: Path, target: Path, limits: ArchiveLimits, *, room: Room) -> Inventory:
    """Pack the files of the tar file at `path` into a new zip file; raises BadArchive.

    Nothing is ever written under a name that the archive chose.
    """
    inventory = Inventory(limits)
    try:
        with path.open("rb") as packed, zipfile.ZipFile(target, "x") as made:
            _copy(_Forward(packed, limits), made, inventory=inventory, room=room)
        inventory.close()
    except BaseException as error:
        target.unlink(missing_ok=True)
        if not isinstance(error, _MISREAD) or getattr(error, "errno", None):
            raise
        raise NotAnArchive(f"the archive cannot be read as a zip or tar file: {error}") from error
    return inventory


def _copy(stream: _Forward, made: zipfile.ZipFile, *, inventory: Inventory, room: Room) -> None:
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        while entry := archive.next():
            stream.begin_entry()
            vars(archive)["members"].clear()  # it would keep them all
            if entry.isdir():
                inventory.add_folder(entry.name)
                continue
            _check_kind(entry)
            name = inventory.add_file(entry.name, entry.size)
            room(entry.size)
            _copy_file(entry, stream, made, name=name)
    if not stream.last or stream.last.strip(b"\0"):
        raise NotAnArchive(
            f"the archive is damaged or cut off at byte {stream.tell()} of the tar file; "
            "pack it again"
        )
    stream.drain()


def _check_kind(entry: tarfile.TarInfo) -> None:
    name = shown(entry.name)
    if entry.issym() or entry.islnk():
        raise UnsafeEntry(
            f"the archive has a link, {name}; expected files only: pack with `tar "
            "--dereference --hard-dereference`"
        )
    if not entry.isreg() or entry.issparse():
        raise UnsafeEntry(f"the archive has {name}, which is no file; expected files and folders")


def _copy_file(
    entry: tarfile.TarInfo, stream: _Forward, made: zipfile.ZipFile, *, name: str
) -> None:
    stream.seek(entry.offset_data)
    with made.open(zipfile.ZipInfo(name), "w") as file:
        for piece in stream.pieces(entry.size):
            file.write(piece)
    if stream.tell() != entry.offset_data + entry.size:
        raise NotAnArchive(f"the archive is cut off in {shown(name)}; pack it again")
