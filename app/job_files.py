"""The files in a job's folder: what is shown of it, and nothing outside it."""

import mimetypes
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from app.errors import ArtifactNotFound

_PARTIAL = (".partial", ".tmp")
_MEDIA_TYPES: Mapping[str, str] = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".png": "image/png",
}
_BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was when it was looked at."""

    path: str
    bytes: int
    modified_ns: int

    @property
    def media_type(self) -> str:
        """By the ending of its name."""
        ending = PurePosixPath(self.path).suffix
        return _MEDIA_TYPES.get(ending) or mimetypes.guess_type(self.path)[0] or _BYTES

    @property
    def modified_at(self) -> datetime:
        """When it was last written."""
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)

    @property
    def etag(self) -> str:
        """Changes whenever the file does."""
        return f'"{self.modified_ns:x}-{self.bytes:x}"'


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open for reading, at `descriptor`, until it is closed."""

    descriptor: int
    found: Found

    def close(self) -> None:
        """Give the descriptor back; once."""
        os.close(self.descriptor)


def listed(folder: Path) -> Iterator[Found]:
    """All files that are shown, sorted by path; a folder that is not there yet has none."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _is_shown(name)]
        inside = Path(place).relative_to(folder)
        for name in filter(_is_shown, names):
            with suppress(FileNotFoundError):  # it went while it was looked at
                state = os.lstat(Path(place, name))
                if stat.S_ISREG(state.st_mode):
                    found.append(_found((inside / name).as_posix(), state))
    return iter(sorted(found, key=lambda file: file.path))


def opened(folder: Path, path: str) -> OpenFile:
    """The file at `path` in `folder`, to be closed by the caller; raises ArtifactNotFound.

    Every part of the path is opened within the one before and no link is followed, so that
    nothing outside the folder can be reached, whatever is changed meanwhile.
    """
    parts = path.split("/")
    if not all(parts) or not all(map(_is_shown, parts)):
        raise _not_found(path)
    *folders, name = parts
    try:
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in folders:
                at, outer = os.open(part, _FOLDER, dir_fd=at), at
                os.close(outer)
            descriptor = os.open(name, _FILE, dir_fd=at)
        finally:
            os.close(at)
    except (OSError, ValueError) as error:
        raise _not_found(path) from error
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)
        raise _not_found(path)
    return OpenFile(descriptor, _found(path, state))


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
"""A pipe in the place of a file would otherwise be waited for."""


def _is_shown(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(_PARTIAL)


def _found(path: str, state: os.stat_result) -> Found:
    return Found(path, state.st_size, state.st_mtime_ns)


def _not_found(path: str) -> ArtifactNotFound:
    return ArtifactNotFound(f"the job has no file {path!r}; GET .../artifacts lists those it has")
