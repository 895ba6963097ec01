"""Weights files that a configuration may name: those in the operator's folders, and no others."""

from collections.abc import Sequence
from pathlib import Path

from worker.errors import JobError


class WeightsRefused(JobError):
    """The path leads to no weights file in the operator's folders."""


def weights_file(given: Path, roots: Sequence[Path]) -> Path:
    """The file that `given` means: itself, or its name within a root; raises WeightsRefused.

    Links are followed before it is judged, so that none leads out of the folders.
    """
    for candidate in (given, *(root / given for root in roots)):
        real = _file(candidate)
        if real and any(real.is_relative_to(root.resolve()) for root in roots):
            return real
    raise WeightsRefused(
        f"{str(given)!r} is no file in the folders for weights; name one that lies there, by its "
        "path within them (SENTISCOPE_WEIGHTS_ROOTS tells the service which they are)"
    )


def _file(path: Path) -> Path | None:
    """The file that a path leads to, links followed; None where there is none."""
    try:
        real = path.resolve()
        return real if real.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long, links in a circle, a null byte
        return None
