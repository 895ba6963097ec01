"""Room on a disk: what is written on behalf of clients leaves some of it."""

import shutil
from pathlib import Path

from worker.errors import JobError

_KEPT_BYTES = 1024**3
_KEPT_PART = 0.05


class DiskFull(JobError):
    """There is no room for it on the service's disk."""


def check_room(folder: Path, wanted: int = 0) -> None:
    """Raise DiskFull where `wanted` more bytes would leave too little free for the service itself.

    Kept free are 1 GiB or, of a small disk, 5 %. `folder` need not be there yet.
    """
    there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    disk = shutil.disk_usage(there)
    kept = int(min(_KEPT_BYTES, _KEPT_PART * disk.total))
    if disk.free - wanted < kept:
        raise DiskFull(
            f"there is no room for {wanted} more bytes: {disk.free} are free on the service's "
            f"disk, of which {kept} are kept; delete data sets or ask the operator"
        )
