"""What README and docs/ hold that can be run: blocks in fences, with their marks.

A block that no test runs says why in its fence, as in ```sh not-run="docker"; REASONS lists what
may be said there. Its commands are checked all the same, as far as they can be without running.
A block that is a file says which: ```yaml file="mine.yaml".
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REASONS = {
    "client": "needs another project's client",
    "data": "needs data sets that are not ours to ship",
    "docker": "needs Docker",
    "gpu": "needs GPUs, or several machines",
    "long": "trains for minutes or hours",
    "server": "runs until it is stopped; its own tests start and stop it",
    "system": "changes the machine, as root",
}
_FENCE = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r'([a-z-]+)="([^"]*)"')
_COMMENT = re.compile(r"(^|\s)#.*$")
_JOINT = re.compile(r"\s(?:\||&&|;)\s")
_CAPTURE = re.compile(r"^\s*[A-Z_]+=\$\(")
_VARIABLES = re.compile(r"^\s*(?:[A-Z_]+=\S* )+")


@dataclass(frozen=True, slots=True)
class Block:
    """One fence; `not_run` is why no test runs it, `file` the file that it is, or none."""

    page: str
    line: int
    language: str
    not_run: str | None
    file: str | None
    text: str

    @property
    def place(self) -> str:
        """Where to look."""
        return f"{self.page}:{self.line}"

    def commands(self) -> Iterator[list[str]]:
        """Words of each command of a shell block, without comments, variables and redirections."""
        for line in self.text.replace("\\\n", " ").splitlines():
            for part in _JOINT.split(_COMMENT.sub("", line)):
                inner = _CAPTURE.sub("", part)
                plain = inner.removesuffix(")") if inner != part else part
                words = shlex.split(_VARIABLES.sub("", plain))
                if ">" in words:
                    words = words[: words.index(">")]
                if words:
                    yield words


def pages() -> list[str]:
    """All that people read, by path from the root; the reference is made from code."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    names = sorted(str(file.relative_to(ROOT)) for file in files)
    return [name for name in names if not name.startswith(("docs/reference/", "CHANGELOG"))]


def text_of(page: str) -> str:
    """The page as it is written."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """Its fences, from top to bottom."""
    text = text_of(page)
    return [_block(page, text, found) for found in _FENCE.finditer(text)]


def _block(page: str, text: str, found: re.Match[str]) -> Block:
    language = found["info"].split()[0]
    marks = dict(_MARK.findall(found["info"]))
    line = text.count("\n", 0, found.start()) + 1
    return Block(page, line, language, marks.get("not-run"), marks.get("file"), found["text"])
