"""The little Markdown that reference pages are made of."""

from collections.abc import Iterable, Sequence

NOTE = "<!-- Made from the code by `make reference`; a test compares. -->"


def page(title: str, *parts: str) -> str:
    """A whole file: a title, the note that nobody should edit it, and parts with room between."""
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


def section(title: str, *parts: str) -> str:
    """A part of a page."""
    return "\n\n".join([f"## {title}", *parts])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell does not end it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def code(text: object) -> str:
    """As it is typed."""
    return f"`{text}`"


def one_line(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().partition("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
