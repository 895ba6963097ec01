"""Files that survive a kill: replaced in one step, and on the disk when that is said."""

import os
from pathlib import Path

_USUAL_MODE = 0o666
"""As the process's umask narrows it."""


def replace_text(path: Path, text: str, *, mode: int = _USUAL_MODE) -> None:
    """Put `text` in the place of `path`: readers see the old content or the new, never a part."""
    replace_bytes(path, text.encode(), mode=mode)


def replace_bytes(path: Path, content: bytes, *, mode: int = _USUAL_MODE) -> None:
    """The same with bytes."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until the file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until a folder and all that is in it are on the disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
