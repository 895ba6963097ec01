"""Takes the host's folders out of texts that clients are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from worker.settings import JobSettings


@dataclass(frozen=True, slots=True)
class Redaction:
    """Names what lies in the service's folders by its path inside them."""

    roots: tuple[str, ...]
    """Each ends with a slash."""

    @classmethod
    def of(cls, settings: JobSettings) -> Self:
        """Takes out the folders that an operator has set, the longest first."""
        folders: tuple[Path, ...] = (
            settings.jobs_root,
            settings.datasets_root,
            settings.uploads_root,
            settings.models_root,
            *settings.weights_roots,
            *settings.import_roots,
            Path.cwd(),
        )
        found = {f"{path}/" for folder in folders for path in (folder.absolute(), folder.resolve())}
        return cls(tuple(sorted(found - {"/", "//"}, key=len, reverse=True)))

    def text(self, text: str) -> str:
        """`text` without the folders."""
        for root in self.roots:
            text = text.replace(root, "")
        return text

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """An event without the folders in its texts."""
        return {
            name: self.text(value) if isinstance(value, str) else value
            for name, value in event.items()
        }
