"""Takes the host's folders out of texts that clients are shown."""

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from worker.settings import JobSettings

_BEGINS = r"(?:(?<![\w.-])|(?<=\\[nrt]))"
"""What an absolute path follows: nothing of another path or address; in JSON an end of line."""

_ENDS = r"(?:/|(?![\w-])(?!\.\w))"
"""What follows a folder's path: what lies in it, or no more of a path."""

_CODE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Redaction:
    """Names what lies in the service's folders by its path inside them, and them by their names."""

    folders: re.Pattern[str]

    @classmethod
    def of(cls, settings: JobSettings) -> Self:
        """Takes out the folders that an operator has set, and those of the program itself."""
        folders: tuple[Path, ...] = (
            settings.jobs_root,
            settings.datasets_root,
            settings.uploads_root,
            settings.models_root,
            *settings.weights_roots,
            *settings.import_roots,
            Path.cwd(),
            _CODE,
            Path(sys.prefix),
            Path(sys.base_prefix),
            Path(os.path.expanduser("~")),
            Path(tempfile.gettempdir()),
        )
        found = {str(path) for folder in folders for path in (folder.absolute(), folder.resolve())}
        longest_first = sorted(found - {"/", "//"}, key=len, reverse=True)
        folder = "|".join(map(re.escape, longest_first)) or "(?!)"
        return cls(re.compile(f"{_BEGINS}(?:{folder}){_ENDS}"))

    def text(self, text: str) -> str:
        """`text` without the folders."""
        return self.folders.sub(_shown, text)

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """An event without the folders in its texts."""
        return {
            name: self.text(value) if isinstance(value, str) else value
            for name, value in event.items()
        }


def _shown(found: re.Match[str]) -> str:
    path = found.group()
    return "" if path.endswith("/") else PurePosixPath(path).name
