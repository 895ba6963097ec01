"""A dataset in the making: a folder beside its destination, renamed when it is whole."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.files import sync
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
    """A folder that becomes `destination` on success, and disappears on failure."""
    check_absent(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{destination.name}.", dir=destination.parent))
    try:
        yield folder
        folder.chmod(0o755)
        check_absent(destination)
        os.rename(folder, destination)
        sync(destination.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def write_synced(path: Path, content: bytes) -> None:
    """Writes a file and waits until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
