"""What an uploaded archive may hold: files by safe names, so many and so large."""

import re
from dataclasses import dataclass
from itertools import pairwise

from training.config.importing import MAX_FILE_BYTES
from worker.errors import JobError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHOWN = 120
_MAX_NAME_BYTES = 255
_MAX_PATH_BYTES = 1024


class BadArchive(JobError):
    """The archive cannot be imported as it is."""


class NotAnArchive(BadArchive):
    """The file is no archive, or a damaged one."""


class UnsafeEntry(BadArchive):
    """The archive has an entry that is refused."""


class TooMuchInArchive(BadArchive):
    """The archive holds more than is unpacked here."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much archives may hold; counts are of files and folders, bytes of files unpacked."""

    max_files: int
    max_unpacked_bytes: int
    max_file_bytes: int = MAX_FILE_BYTES
    max_ratio: int = 100
    """Bytes that one packed byte may become; pictures hardly shrink, so that theirs is near 1."""

    ratio_free_bytes: int = 64 * 2**20
    """Below so many unpacked bytes the ratio is not looked at."""

    def check_ratio(self, unpacked: int, packed: int) -> None:
        """Raise TooMuchInArchive where an archive shrank more than data sets do."""
        if unpacked > self.ratio_free_bytes and unpacked > self.max_ratio * packed:
            raise TooMuchInArchive(
                f"the archive unpacks to more than {self.max_ratio} times its size, as no set of "
                "pictures does; pack it again without padding, or import it from a server's folder"
            )


def shown(name: str) -> str:
    """An entry's name for a message."""
    return repr(name if len(name) <= _SHOWN else name[:_SHOWN] + "...")


def checked_name(name: str) -> str:
    """The name in its shortest form, such as a/b for ./a//b; raises UnsafeEntry. The root is ''."""
    fault = _fault(name)
    if fault:
        raise UnsafeEntry(
            f"the archive has an entry {shown(name)}, which {fault}; expected relative paths with "
            "forward slashes: pack the data set again from inside its folder"
        )
    return _shortest(name)


def _shortest(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _fault(name: str) -> str | None:
    found = {
        "has no name": not name,
        "is an absolute path": name.startswith("/"),
        "leads out of the archive by '..'": ".." in name.split("/"),
        "has a backslash": "\\" in name,
        "begins with a drive letter": ":" in (name[1:2], _shortest(name)[1:2]),
        "has control characters in its name": _CONTROL.search(name) is not None,
        "has a name that is not UTF-8": not _is_unicode(name),
        "has too long a name": _is_long(name),
    }
    return next((fault for fault, holds in found.items() if holds), None)


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_long(name: str) -> bool:
    raw = name.encode(errors="surrogatepass")
    return len(raw) > _MAX_PATH_BYTES or max(map(len, raw.split(b"/"))) > _MAX_NAME_BYTES


class Inventory:
    """Takes the entries of one archive as they are found, and raises BadArchive at a bad one."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._files: set[str] = set()
        self._entries = 0
        self.unpacked_bytes = 0

    @property
    def entries(self) -> int:
        """Files and folders so far."""
        return self._entries

    def add_folder(self, name: str) -> None:
        """Take a folder."""
        checked_name(name)
        self._count()

    def add_file(self, name: str, size: int) -> str:
        """Take a file of `size` unpacked bytes; its name in the shortest form."""
        path = checked_name(name)
        if not path:
            raise UnsafeEntry(f"the archive has a file {shown(name)}; expected it to have a name")
        if path in self._files:
            raise UnsafeEntry(
                f"the archive has two entries {shown(path)}; expected each name once: pack it again"
            )
        self._count()
        self._weigh(path, size)
        self._files.add(path)
        return path

    def close(self) -> None:
        """Check what only the whole shows."""
        if not self._files:
            raise NotAnArchive("the archive holds no file; expected the files of a data set")
        for path, following in pairwise(sorted(f"{path}/" for path in self._files)):
            if following.startswith(path):  # what lies below a path is sorted right after it
                raise UnsafeEntry(
                    f"the archive has {shown(following[:-1])} below {shown(path[:-1])}, which is "
                    "a file; expected a folder"
                )

    def _count(self) -> None:
        self._entries += 1
        if self._entries > self._limits.max_files:
            raise TooMuchInArchive(too_many_files(self._limits))

    def _weigh(self, path: str, size: int) -> None:
        limits = self._limits
        if size < 0:
            raise NotAnArchive(f"the archive says that {shown(path)} has {size} bytes")
        if size > limits.max_file_bytes:
            raise TooMuchInArchive(
                f"{shown(path)} unpacks to {size} bytes; at most {limits.max_file_bytes} are read "
                "of one file"
            )
        self.unpacked_bytes += size
        if self.unpacked_bytes > limits.max_unpacked_bytes:
            raise TooMuchInArchive(
                f"the archive unpacks to more than {limits.max_unpacked_bytes} bytes, the limit, "
                f"at {shown(path)}; import it from a server's folder, or raise "
                "SENTISCOPE_MAX_UNPACKED_BYTES"
            )


def too_many_files(limits: ArchiveLimits) -> str:
    """What is said of an archive with too many entries."""
    return (
        f"the archive has more than {limits.max_files} files and folders, the limit; import it "
        "from a server's folder, or raise SENTISCOPE_MAX_ARCHIVE_FILES"
    )
