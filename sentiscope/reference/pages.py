"""Which pages there are, and who makes them."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from models.registry import SHIPPED
from sentiscope.reference.commands import command_line
from sentiscope.reference.configuration import configuration
from sentiscope.reference.metrics import metrics
from sentiscope.reference.problems import problems
from sentiscope.reference.settings import settings

ROOT = SHIPPED.parents[1]
FOLDER = ROOT / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": partial(command_line, ROOT / "Makefile"),
    "configuration.md": configuration,
    "metrics.md": metrics,
    "problems.md": problems,
    "settings.md": settings,
}


def write(folder: Path = FOLDER) -> list[Path]:
    """Make every page anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in PAGES.items():
        (folder / name).write_text(made(), encoding="utf-8")
    return [folder / name for name in PAGES]
