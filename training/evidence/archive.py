"""Results on the way from one machine to another: metrics and predictions in one archive."""

import tarfile
from pathlib import Path

from training.errors import TrainingError

PARTS = ("results", "predictions")


class BadArchive(TrainingError):
    """An archive of results cannot be read, or holds what does not belong there."""


def pack(folder: Path, archive: Path) -> int:
    """Put metrics files and predictions below `folder` into a .tar.xz; returns how many files."""
    files = sorted(
        file for part in PARTS for file in (folder / part).rglob("*.*") if file.is_file()
    )
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:xz") as tar:
        for file in files:
            tar.add(file, file.relative_to(folder).as_posix(), recursive=False)
    return len(files)


def unpack(archive: Path, folder: Path) -> int:
    """Add what `pack` packed to `folder`; files that are there stay. Raises BadArchive."""
    try:
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if not (folder / member.name).exists()]
            for member in members:
                if not member.isfile() or Path(member.name).parts[0] not in PARTS:
                    raise BadArchive(f"{archive} holds {member.name!r}; expected files of {PARTS}")
            tar.extractall(folder, members, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise BadArchive(f"{archive} cannot be unpacked: {error}") from error
    return len(members)
