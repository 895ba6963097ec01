"""A zip archive from a stranger: judged by its list of files, without unpacking any."""

import io
import stat
import struct
import zipfile
from pathlib import Path

from worker.archive_entries import (
    ArchiveLimits,
    BadArchive,
    Inventory,
    NotAnArchive,
    TooMuchInArchive,
    UnsafeEntry,
    shown,
    too_many_files,
)

_MARK = b"PK\1\2"
"""Begins every entry of the list."""

_ENTRY_BYTES = 512
"""An entry has 46 bytes and its name, more or less; an average above this is no data set's."""

_END_BYTES = 128 * 1024
"""The end of the list with its comment."""

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCHED = 0x20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those of which no few bytes can become gigabytes in one step of unpacking."""

_MISREAD = (
    zipfile.BadZipFile,
    NotImplementedError,
    ValueError,
    OverflowError,
    EOFError,
    OSError,
    struct.error,
)


class _ListOnly(io.FileIO):
    """A zip file for the reader of its list, which would take all of a list into memory."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        super().__init__(path)
        self._limits = limits
        self._most = _END_BYTES + _ENTRY_BYTES * limits.max_files

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._most + 1 if size is None or size < 0 else size
        content = super().read(min(wanted, self._most + 1)) or b""
        if len(content) > self._most or content.count(_MARK) > self._limits.max_files:
            raise TooMuchInArchive(too_many_files(self._limits))
        return content


def check_zip(path: Path, limits: ArchiveLimits) -> Inventory:
    """What the zip file at `path` holds; raises BadArchive with the entry that is refused."""
    inventory, packed = Inventory(limits), 0
    for info in _infos(path, limits):
        packed += info.compress_size
        if info.is_dir():
            inventory.add_folder(info.orig_filename)
        else:
            _check_kind(info)
            inventory.add_file(info.orig_filename, info.file_size)
    inventory.close()
    size = path.stat().st_size
    if packed > size:
        raise BadArchive(
            f"the archive's entries say they take {packed} bytes of its {size}: they overlap; "
            "pack it again"
        )
    limits.check_ratio(inventory.unpacked_bytes, size)
    return inventory


def _infos(path: Path, limits: ArchiveLimits) -> list[zipfile.ZipInfo]:
    try:
        with _ListOnly(path, limits) as file, zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except _MISREAD as error:
        raise NotAnArchive(f"the archive cannot be read as a zip file: {error}") from error


def _check_kind(info: zipfile.ZipInfo) -> None:
    """Only plain files, packed as everything can unpack them."""
    name, mode = shown(info.orig_filename), info.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise UnsafeEntry(f"the archive has a link, {name}; expected files only: pack without")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise UnsafeEntry(f"the archive has {name}, which is no file; expected files and folders")
    if info.flag_bits & _ENCRYPTED:
        raise UnsafeEntry(f"the archive's {name} is encrypted; pack it without a password")
    if info.flag_bits & _PATCHED or info.compress_type not in _METHODS:
        raise UnsafeEntry(
            f"the archive's {name} is packed by method {info.compress_type}; expected stored or "
            "deflated (zip -0, or as zip does it by itself)"
        )
