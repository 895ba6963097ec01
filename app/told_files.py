"""A job's files as a client sees them: those that tell of the run name no folder of the host.

The configuration is the one that was submitted; in the others the service's folders are taken out.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app import job_files
from app.errors import ArtifactNotFound
from app.job_files import Found, OpenFile
from training.config.supervision import CONFIG_FILE, EVENTS_FILE, RESULTS_FILE
from worker.redaction import Redaction
from worker.settings import JobSettings

_REDACTED = frozenset({EVENTS_FILE, RESULTS_FILE})


@dataclass(frozen=True, slots=True)
class ToldFiles:
    """The files in one job's folder."""

    folder: Path
    config: Mapping[str, Any]
    """As it was submitted."""
    settings: JobSettings

    def listed(self) -> list[Found]:
        """All of them, sorted by path, with the sizes that they have for a client."""
        return [self._measured(found) for found in job_files.listed(self.folder)]

    def opened(self, path: str) -> OpenFile:
        """One of them, to be closed by the caller; raises ArtifactNotFound."""
        file = job_files.opened(self.folder, path)
        if path != CONFIG_FILE and path not in _REDACTED:
            return file
        try:
            return _of_content(self._content(file), file.found)
        finally:
            file.close()

    def _measured(self, found: Found) -> Found:
        if found.path != CONFIG_FILE and found.path not in _REDACTED:
            return found
        try:
            file = self.opened(found.path)
        except ArtifactNotFound:  # it went while it was looked at
            return found
        file.close()
        return file.found

    def _content(self, file: OpenFile) -> bytes:
        if file.found.path == CONFIG_FILE:
            return f"{json.dumps(self.config, indent=2)}\n".encode()
        with open(file.descriptor, encoding="utf-8", errors="replace", closefd=False) as opened:
            return Redaction.of(self.settings).text(opened.read()).encode()


def _of_content(content: bytes, found: Found) -> OpenFile:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return OpenFile(os.dup(file.fileno()), replace(found, bytes=len(content)))
