"""A job's folder as its supervisor sees it: what it writes before a process, and reads after."""

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.files import replace_text
from training.config.recipes import RecipeConfig
from training.config.supervision import (
    CONFIG_FILE,
    EVENTS_FILE,
    FENCE_FILE,
    LOCK_FILE,
    RESULTS_FILE,
)
from worker.account import Account
from worker.errors import JobError
from worker.tail import events_from, size_of

_FENCE_LOCK = ".fence-lock"


class Superseded(JobError):
    """A later attempt has already taken the job's folder."""

    def __init__(self, found: int, token: int) -> None:
        super().__init__(f"attempt {found} has the folder, this is attempt {token}")
        self.found = found


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The run folder of one job."""

    path: Path

    @property
    def events_file(self) -> Path:
        """What happened, one JSON object a line; the training process appends to it."""
        return self.path / EVENTS_FILE

    def take(self, token: int) -> None:
        """Fence off whatever works in the folder for an earlier attempt; raises Superseded.

        Tokens only rise, whatever order supervisors come in.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        fence = self.path / FENCE_FILE
        with (self.path / _FENCE_LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = int(fence.read_text()) if fence.exists() else 0
            if found > token:
                raise Superseded(found, token)
            replace_text(fence, f"{token}\n")

    def write_config(self, config: RecipeConfig) -> None:
        """What the training process is told."""
        replace_text(self.path / CONFIG_FILE, config.model_dump_json(indent=2) + "\n")

    def told_bytes(self) -> int:
        """Size of the events file."""
        return size_of(self.events_file)

    def account(self, begin: int) -> Account:
        """Of all that was told from byte `begin` on."""
        account = Account()
        while batch := events_from(self.events_file, begin):
            account, begin = account.after(batch.events), batch.offset
        return account

    def results(self) -> dict[str, Any] | None:
        """What the recipe ended with; none before its end."""
        try:
            found: dict[str, Any] = json.loads((self.path / RESULTS_FILE).read_bytes())
        except FileNotFoundError:
            return None
        return found

    def is_busy(self) -> bool:
        """Whether a training process works in it, wherever that was started."""
        with (self.path / LOCK_FILE).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
