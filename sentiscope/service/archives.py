"""A data set as it is sent: archives as they are, or a folder that is packed into one."""

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeAlias

from sentiscope.service.errors import UnusableSource

Source: TypeAlias = str | os.PathLike[str]
Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many bytes were sent, and of how many."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An open file, the bytes that are sent `before` it and in all, and who is told of its own."""

    name: str
    file: BinaryIO
    before: int
    total: int
    progress: Progress | None

    def fileno(self) -> int:
        """By which its size is found."""
        return self.file.fileno()

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go elsewhere in it, as to its beginning to be sent again."""
        return self.file.seek(place, whence)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, which are on their way now."""
        part = self.file.read(size)
        if self.progress:
            self.progress(self.before + self.file.tell(), self.total)
        return part


class Archives:
    """Archives that together are one data set, open until the end of `with`."""

    def __init__(self, archives: Sequence[Archive], opened: ExitStack) -> None:
        self.archives = tuple(archives)
        self._opened = opened

    @classmethod
    def open(cls, source: Source | Sequence[Source], progress: Progress | None) -> Self:
        """One folder, or one or more zip or tar files; raises UnusableSource."""
        given = [source] if isinstance(source, str | os.PathLike) else source
        paths = [Path(each) for each in given]
        if not paths or (len(paths) > 1 and any(path.is_dir() for path in paths)):
            raise UnusableSource(
                f"given {', '.join(map(str, paths)) or 'nothing'}; expected one folder, or one or "
                "more zip or tar files that together are one data set"
            )
        with ExitStack() as stack:
            files = [stack.enter_context(_opened(path)) for path in paths]
            sizes = [os.fstat(file.fileno()).st_size for file in files]
            archives = [
                Archive(_name(path), file, sum(sizes[:place]), sum(sizes), progress)
                for place, (path, file) in enumerate(zip(paths, files, strict=True))
            ]
            return cls(archives, stack.pop_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()


def _name(path: Path) -> str:
    return f"{path.resolve().name}.zip" if path.is_dir() else path.name


def _opened(path: Path) -> BinaryIO:
    try:
        return _packed(path) if path.is_dir() else path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnusableSource(f"{path} cannot be sent: {reason}") from error


def _packed(folder: Path) -> BinaryIO:
    """All files below a folder in a file that is gone once it is closed.

    They are stored as they are, for pictures are compressed already.
    """
    files = sorted(_below(folder))
    if not files:
        raise UnusableSource(f"{folder} has no files; expected the pictures of a data set")
    with ExitStack() as stack:
        packed = stack.enter_context(tempfile.TemporaryFile())
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for file in files:
                archive.write(file, file.relative_to(folder))
        stack.pop_all()
        return packed


def _below(folder: Path) -> Iterator[Path]:
    """Without hidden ones; links are followed, to each folder once."""
    seen = set[str]()
    for root, folders, names in os.walk(folder, followlinks=True):
        place = os.path.realpath(root)
        folders[:] = [name for name in folders if place not in seen and not name.startswith(".")]
        if place not in seen:
            yield from (Path(root, name) for name in names if not name.startswith("."))
        seen.add(place)
