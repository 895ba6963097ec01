"""What was on the disk when: no test can cut the power, so the calls that count are noted."""

import os
from pathlib import Path
from typing import Any

import pytest

Call = tuple[str, Path]


def noted(patch: pytest.MonkeyPatch) -> list[Call]:
    """Every `sync` of a file or folder and every `rename` to a path, as they come; all are done."""
    calls: list[Call] = []
    fsync, rename, replace = os.fsync, os.rename, os.replace

    def noted_sync(descriptor: int) -> None:
        calls.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}"))))
        fsync(descriptor)

    def noted_rename(source: Any, target: Any) -> None:
        calls.append(("rename", Path(target)))
        rename(source, target)

    def noted_replace(source: Any, target: Any) -> None:
        calls.append(("rename", Path(target)))
        replace(source, target)

    patch.setattr(os, "fsync", noted_sync)
    patch.setattr(os, "rename", noted_rename)
    patch.setattr(os, "replace", noted_replace)
    return calls


def is_synced_around_rename(calls: list[Call], target: Path) -> bool:
    """Whether all that is in a renamed folder was on the disk before, and the new name after."""
    at = calls.index(("rename", target))
    before = [path for kind, path in calls[:at] if kind == "sync"]
    inside = {path.relative_to(target) for path in (target, *target.rglob("*"))}
    staged = {path.relative_to(root) for root in before for path in before if root in path.parents}
    return inside - {Path()} <= staged and ("sync", target.parent) in calls[at:]
