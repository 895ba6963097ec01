"""The image files that paths stand for."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = frozenset({".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".webp"})
"""Of the formats that are read. In a folder they choose; a file that is named is tried anyway."""


class NoImages(Exception):
    """There is no image in the folder."""


def image_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files as they are named, and in their place the sorted images below each folder.

    Hidden files and folders are left out, links to folders not followed. Raises NoImages.
    """
    return tuple(file for path in paths for file in (_below(path) if path.is_dir() else (path,)))


def _below(folder: Path) -> list[Path]:
    found = sorted(_walked(folder))
    if not found:
        raise NoImages(f"{folder} has no image below it; expected files *{', *'.join(_suffixes())}")
    return found


def _walked(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES:
                yield Path(root, name)


def _suffixes() -> list[str]:
    return sorted(SUFFIXES)
