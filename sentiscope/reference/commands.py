"""Page: every command with its arguments and options, and what `make` can do."""

import re
from pathlib import Path
from typing import Any

from sentiscope.reference.markdown import code, one_line, page, section, table
from sentiscope.reference.program import Command, commands

_TARGET = re.compile(r"^([a-z-]+):.*?## (.+)$", re.MULTILINE)
_INTRODUCTION = """\
`sentiscope` is in `.venv/bin` after `make setup` (and in `.venv-serve/bin` after `make serve`). Each command has `--help`. Variables of
the environment have [a page of their own](settings.md). A command ends with status 0, with 1 and a reason on stderr when it could not do
what was asked, with 2 when it was not understood, with 130 after Ctrl-C, and a training that was asked to stop and can go on with 75."""


def command_line(makefile: Path) -> str:
    """The page, for the targets of this Makefile."""
    targets = [
        (code(f"make {name}"), said)
        for name, said in _TARGET.findall(makefile.read_text(encoding="utf-8"))
    ]
    return page(
        "Commands",
        _INTRODUCTION,
        *map(_section, commands()),
        section("make", table(("target", "what"), targets)),
    )


def _section(command: Command) -> str:
    usage = " ".join([command.path, *(_argument(each) for each in command.arguments)])
    parts = [
        one_line(command.help),
        f"```text\n{usage}{' [OPTIONS]' if command.options else ''}\n```",
    ]
    rows = [(code(_argument(each)), "", each.help or "") for each in command.arguments]
    rows += [(_option(each), _default(each), each.help or "") for each in command.options]
    if rows:
        parts.append(table(("argument or option", "default", "what"), rows))
    return section(command.path, *parts)


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    name += "..." if parameter.nargs != 1 else ""
    return str(name) if parameter.required else f"[{name}]"


def _option(parameter: Any) -> str:
    value = "" if parameter.is_flag else f" {(parameter.metavar or parameter.name).upper()}"
    said = ", ".join(code(f"{each}{value}") for each in parameter.opts)
    return f"{said}{' (may be repeated)' if parameter.multiple else ''}"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "must be given"
    if parameter.is_flag or parameter.default is None:
        return "off" if parameter.is_flag else ""
    return code(parameter.default)
