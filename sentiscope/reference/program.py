"""The command line as data: commands with their arguments, options and variables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from sentiscope.cli import app
from sentiscope.reference.markdown import code


@dataclass(frozen=True, slots=True)
class Command:
    """One command that does something; `parameters` are Typer's own."""

    path: str
    help: str
    parameters: tuple[Any, ...]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What is told by its place."""
        return tuple(each for each in self.parameters if not _is_option(each))

    @property
    def options(self) -> tuple[Any, ...]:
        """What is told by its name."""
        return tuple(each for each in self.parameters if _is_option(each))


def commands() -> tuple[Command, ...]:
    """All of them, in the order of `sentiscope --help`."""
    return tuple(_below(typer.main.get_command(app), "sentiscope"))


def variables() -> list[tuple[str, str, str]]:
    """Variables that stand for options: name, option, what for."""
    found = {
        each.envvar: (code(each.envvar), code(each.opts[0]), each.help.removesuffix("."))
        for command in commands()
        for each in command.options
        if each.envvar
    }
    return [found[name] for name in sorted(found)]


def _below(found: Any, path: str) -> Iterator[Command]:
    inner = getattr(found, "commands", None)
    if inner is None:
        yield Command(path, found.help or "", tuple(found.params))
        return
    for name, each in inner.items():
        yield from _below(each, f"{path} {name}")


def _is_option(parameter: Any) -> bool:
    return bool(parameter.opts[0].startswith("-"))
