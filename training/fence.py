"""A run folder's fence: it keeps out a process whose work was handed to another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from training.config.supervision import FENCE_FILE, FENCE_VARIABLE
from training.errors import TrainingError


class Fenced(TrainingError):
    """The run folder was handed to another process; this one may write no more."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Lets a process write for as long as `file` holds its token; without a file, always."""

    file: Path | None = None
    token: str = ""

    @classmethod
    def of(cls, folder: Path, environment: Mapping[str, str]) -> Self:
        """The fence of a run folder where the environment has a token; else an open one."""
        token = environment.get(FENCE_VARIABLE)
        return cls() if token is None else cls(folder / FENCE_FILE, token)

    def check(self) -> None:
        """Raise Fenced unless this process may write."""
        if self.file is None:
            return
        try:
            found = self.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Fenced(f"{self.file} cannot be read ({error}); nothing is written") from error
        if found != self.token:
            raise Fenced(
                f"{self.file} holds token {found!r}, expected {self.token!r}: the run was handed "
                "to another process, and this one writes nothing more"
            )


OPEN = Fence()
"""Nobody hands the run to another process."""
