"""Uploaded archives: checked before anything is unpacked, and settled as zip files to import."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from worker.archive_entries import ArchiveLimits
from worker.settings import JobSettings
from worker.tar_archive import Room, repack_tar
from worker.zip_archive import check_zip

_ZIP_MARKS = (b"PK\3\4", b"PK\5\6", b"PK\7\10")


def limits_of(settings: JobSettings) -> ArchiveLimits:
    """The limits that an operator has set."""
    return ArchiveLimits(
        max_files=settings.max_archive_files, max_unpacked_bytes=settings.max_unpacked_bytes
    )


def settle(paths: Sequence[Path], limits: ArchiveLimits, *, room: Room) -> int:
    """Make each of `paths` a zip file that is safe to import in place; the bytes they unpack to.

    A zip stays as it is, a tar file (plain or packed by gzip, bzip2 or xz) is packed anew. The
    limits are of all together. Raises BadArchive, and what `room` raises.
    """
    total = 0
    for path in paths:
        if _is_zip(path):
            inventory = check_zip(path, limits)
        else:
            made = path.with_name(f"{path.name}.repacked")
            inventory = repack_tar(path, made, limits, room=room)
            made.replace(path)
        total += inventory.unpacked_bytes
        limits = replace(
            limits,
            max_files=limits.max_files - inventory.entries,
            max_unpacked_bytes=limits.max_unpacked_bytes - inventory.unpacked_bytes,
        )
    return total


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _ZIP_MARKS
