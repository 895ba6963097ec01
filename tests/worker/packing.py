"""Archives for tests: sound ones of every kind, and the parts of bad ones."""

import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

Files = Mapping[str, bytes]
TAR_MODES: Mapping[str, Literal["w", "w:gz", "w:bz2", "w:xz"]] = {
    "a.tar": "w",
    "a.tar.gz": "w:gz",
    "a.tar.bz2": "w:bz2",
    "a.tar.xz": "w:xz",
}


def zipped(path: Path, files: Files, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """The files as a zip."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Files, format: int = tarfile.PAX_FORMAT) -> Path:
    """The files as a tar file, packed as the suffix of `path` says."""
    mode = next(mode for name, mode in TAR_MODES.items() if path.name.endswith(name[1:]))
    with tarfile.open(path, mode, format=format) as archive:
        for name, content in files.items():
            archive.addfile(regular(name, len(content)), io.BytesIO(content))
    return path


def regular(name: str, size: int = 0) -> tarfile.TarInfo:
    """The header of a plain file."""
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """The header of a link or of a device."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def tar_of(path: Path, entries: Iterable[tarfile.TarInfo]) -> Path:
    """A tar file of headers alone."""
    with tarfile.open(path, "w") as archive:
        for entry in entries:
            archive.addfile(entry)
    return path


def zip_link(path: Path, name: str, mode: int = stat.S_IFLNK) -> Path:
    """A zip with an entry of another kind than a file."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (mode | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    return path


def raw_zip(
    path: Path, names: Iterable[str], *, size: int = 0, packed: int = 0, flags: int = 0
) -> Path:
    """A zip whose list says that each file has `size` bytes; there are no files behind it."""
    listed = [_listed(name.encode(), size, packed, flags) for name in names]
    directory = b"".join(listed)
    count = min(len(listed), 0xFFFF)  # zipfile goes by the bytes of the list
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), 4, 0)
    path.write_bytes(b"PK\3\4" + directory + end)
    return path


def _listed(name: bytes, size: int, packed: int, flags: int) -> bytes:
    sizes = (0, packed, size)
    head = struct.pack("<4s6H3L", b"PK\1\2", 20, 20, flags | 0x800, 8, 0, 33, *sizes)
    return head + struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name
