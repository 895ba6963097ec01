"""A dataset in the making: a folder beside its destination, renamed when it is whole."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.files import sync, sync_tree
from training.errors import TrainingError


class DestinationExists(TrainingError):
    """There is something at the destination of an import."""


def check_absent(destination: Path) -> None:
    """Nothing may be at `destination`: an import neither adds to a dataset nor replaces one."""
    if os.path.lexists(destination):
        raise DestinationExists(
            f"{destination} exists; expected a new path: choose another, or remove it first"
        )


@contextmanager
def staging(destination: Path) -> Iterator[Path]:
    """A folder that becomes `destination` on success, and disappears on failure.

    All in it is on the disk before it appears.
    """
    check_absent(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
    try:
        yield folder
        folder.chmod(0o755)
        os.sync()  # all at once: file by file takes five times as long
        sync_tree(folder)
        check_absent(destination)
        os.rename(folder, destination)
        sync(destination.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
