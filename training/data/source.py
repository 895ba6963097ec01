"""Where a data set comes from: a folder or zip files, read by name, never outside their root."""

import os
import stat
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from training.config.importing import MAX_FILE_BYTES
from training.errors import TrainingError

SPLIT_NAMES: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""What folders of a split are called, as the Hugging Face loaders know them too."""

KEPT_FOLDERS = frozenset({"images"}.union(*SPLIT_NAMES.values()))
"""Folders that mean something where they stand alone, and so are not stripped."""


class UnreadableSource(TrainingError):
    """The source of a data set cannot be read."""


class UnsafePath(TrainingError):
    """A path leads out of the root of its source."""


class ConflictingFiles(TrainingError):
    """One name stands for files of different content."""


class Source(Protocol):
    """Files by name; names are relative, with forward slashes, and sorted."""

    @property
    def description(self) -> str: ...

    def names(self) -> tuple[str, ...]: ...

    def read(self, name: str) -> bytes: ...


def is_safe(name: str) -> bool:
    """Whether `name` is a relative path with forward slashes that stays below its root."""
    path = PurePosixPath(name)
    odd = any(character in name for character in "\\\0") or not _is_unicode(name)
    rooted = path.is_absolute() or name[1:2] == ":"
    return bool(path.parts) and not odd and not rooted and ".." not in path.parts


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _checked(name: str, origin: str) -> str:
    if not is_safe(name):
        raise UnsafePath(
            f"{origin} names {name!r}; expected a relative path with forward slashes and no '..'; "
            "pack the data set again from inside its root"
        )
    return PurePosixPath(name).as_posix()


def _is_visible(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return parts[0] != "__MACOSX" and not any(part.startswith(".") for part in parts)


def _absent(name: str, description: str) -> UnreadableSource:
    return UnreadableSource(f"{name!r} is not a file of {description}")


class FolderSource:
    """The files below a folder; hidden ones are left out, links that leave it refused."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise UnreadableSource(f"{root} is not a folder; expected a folder or .zip files")
        self._root = root.resolve()
        self._names = tuple(sorted(self._files(self._root, "")))

    @property
    def description(self) -> str:
        return f"folder {self._root}"

    def names(self) -> tuple[str, ...]:
        return self._names

    def read(self, name: str) -> bytes:
        path = self._root / _checked(name, self.description)
        self._refuse_leaving(path)
        try:
            return path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise _absent(name, self.description) from None

    def _files(self, folder: Path, prefix: str) -> Iterator[str]:
        for entry in _entries(folder):
            name = prefix + entry.name
            if not _is_visible(name):
                continue
            if entry.is_symlink():
                self._refuse_leaving(Path(entry.path))
            if entry.is_dir(follow_symlinks=False):
                yield from self._files(Path(entry.path), f"{name}/")
            elif entry.is_dir():
                raise UnsafePath(f"{entry.path} is a link to a folder; expected a folder: copy it")
            elif entry.is_file():
                yield _checked(name, self.description)

    def _refuse_leaving(self, path: Path) -> None:
        if not path.resolve().is_relative_to(self._root):
            raise UnsafePath(  # clients are told it: nothing of where that is
                f"{path} leads out of {self._root}; copy the file itself into the folder (cp -L)"
            )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise UnreadableSource(f"cannot list {folder}: {error.strerror}") from error


class _Handles(threading.local):
    """Open zip files of one thread of one process: a fork or a thread opens its own."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.opened: dict[Path, zipfile.ZipFile] = {}

    def get(self, path: Path) -> zipfile.ZipFile:
        if self.process != os.getpid():
            self.process, self.opened = os.getpid(), {}
        if path not in self.opened:
            self.opened[path] = _open_zip(path)
        return self.opened[path]


class ZipSource:
    """The files of one or more zip files, read in place; hidden ones are left out."""

    def __init__(self, *paths: Path) -> None:
        self._paths = tuple(path.resolve() for path in paths)
        members: dict[str, tuple[Path, zipfile.ZipInfo]] = {}
        for path in self._paths:
            with _open_zip(path) as archive:
                for info in archive.infolist():
                    _add_member(members, path, info)
        self._members = {name: members[name] for name in sorted(members)}
        self._handles = _Handles()

    def __reduce__(self) -> tuple[type["ZipSource"], tuple[Path, ...]]:
        return ZipSource, self._paths

    @property
    def description(self) -> str:
        return f"zip {', '.join(str(path) for path in self._paths)}"

    def names(self) -> tuple[str, ...]:
        return tuple(self._members)

    def read(self, name: str) -> bytes:
        if name not in self._members:
            raise _absent(name, self.description)
        path, info = self._members[name]
        try:
            return _unpacked(self._handles.get(path), info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise UnreadableSource(f"{path}: cannot unpack {name!r}: {error}") from error


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise UnreadableSource(f"{path} cannot be read as a zip file: {error}") from error


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The content of a member, not one byte more than its declared size.

    Asked for all of it, zipfile would first unpack whatever there is, and then cut.
    """
    with archive.open(info) as member:
        content = member.read(info.file_size)
    if len(content) < info.file_size:
        raise EOFError(f"{len(content)} bytes where {info.file_size} were declared")
    return content


def _add_member(
    members: dict[str, tuple[Path, zipfile.ZipInfo]], path: Path, info: zipfile.ZipInfo
) -> None:
    name = _checked(info.filename, str(path))
    if info.is_dir() or not _is_visible(name):
        return
    if stat.S_ISLNK(info.external_attr >> 16):
        raise UnsafePath(f"{path}: {name!r} is a link; expected files only: pack without links")
    if info.file_size > MAX_FILE_BYTES:
        raise UnreadableSource(
            f"{path}: {name!r} has {info.file_size} bytes; at most {MAX_FILE_BYTES} are read"
        )
    other, known = members.setdefault(name, (path, info))
    if (known.CRC, known.file_size) != (info.CRC, info.file_size):
        raise ConflictingFiles(
            f"{name!r} is in {other} and in {path} with different content; "
            "expected the parts of one data set"
        )


class SubfolderSource:
    """A source seen from one of its folders."""

    def __init__(self, source: Source, folder: str) -> None:
        self._source = source
        self._prefix = f"{folder}/"
        self._names = tuple(
            name.removeprefix(self._prefix)
            for name in source.names()
            if name.startswith(self._prefix)
        )

    @property
    def description(self) -> str:
        return f"{self._source.description}, folder {self._prefix}"

    def names(self) -> tuple[str, ...]:
        return self._names

    def read(self, name: str) -> bytes:
        return self._source.read(self._prefix + name)


class WithFiles:
    """A source with further files at its root, such as lists that are published apart."""

    def __init__(self, source: Source, files: Sequence[Path]) -> None:
        self._source = source
        self._files = {_checked(path.name, str(path.parent)): path for path in files}
        repeated = set(self._files) & set(source.names())
        if repeated or len(self._files) < len(files):
            given = ", ".join(str(path) for path in files)
            raise ConflictingFiles(
                f"given {given}; expected names of their own, which {source.description} lacks"
            )
        self._names = tuple(sorted((*source.names(), *self._files)))

    @property
    def description(self) -> str:
        return ", ".join((self._source.description, *map(str, self._files.values())))

    def names(self) -> tuple[str, ...]:
        return self._names

    def read(self, name: str) -> bytes:
        return self._files[name].read_bytes() if name in self._files else self._source.read(name)


def common_folder(names: Iterable[str]) -> str | None:
    """The one top-level folder that all files share and that says nothing by its name."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    top = tops.pop() if len(tops) == 1 else ""
    return None if not top or top.lower() in KEPT_FOLDERS else top


def open_source(paths: Sequence[Path]) -> Source:
    """One folder, or one or more zip files, seen from the one top-level folder they may share.

    Single files beside them lie at the root of the source, by their own names.
    """
    zips = [path for path in paths if path.is_file() and path.suffix.lower() == ".zip"]
    folders = [path for path in paths if path.is_dir()]
    files = [path for path in paths if path.is_file() and path not in zips]
    known = len(zips) + len(folders) + len(files) == len(paths)
    if not known or len(folders) > 1 or bool(folders) == bool(zips):
        given = ", ".join(str(path) for path in paths) or "nothing"
        raise UnreadableSource(
            f"given {given}; expected one existing folder, or .zip files; and maybe files beside it"
        )
    source: Source = FolderSource(folders[0]) if folders else ZipSource(*zips)
    folder = common_folder(source.names())
    source = source if folder is None else SubfolderSource(source, folder)
    return WithFiles(source, files) if files else source
