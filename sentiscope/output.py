"""What commands print: results on stdout, everything else on stderr, errors in one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def say(line: str) -> None:
    """A line of the result."""
    typer.echo(line)


def remark(line: str) -> None:
    """A line about what is going on."""
    typer.echo(line, err=True)


def fail(line: str, status: int = 1) -> NoReturn:
    """End with a reason."""
    typer.echo(f"error: {line}", err=True)
    raise typer.Exit(status)


@contextmanager
def told(*errors: type[Exception]) -> Iterator[None]:
    """Errors that a person can act on end the command with their message alone."""
    try:
        yield
    except BrokenPipeError:  # whoever read has read enough, as `head` does
        raise
    except errors as error:
        fail(str(error))


def is_terminal() -> bool:
    """Whether a person watches stderr."""
    return sys.stderr.isatty()
