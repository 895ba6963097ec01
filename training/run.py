"""A run's folder: its configuration, what happened in it, and its checkpoints."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from models.files import replace_bytes, replace_text
from training.config.recipes import RECIPE_CONFIG, RecipeConfig, same_figures
from training.config.supervision import (
    CONFIG_FILE,
    EVENTS_FILE,
    LOCK_FILE,
    METRICS_FILE,
    RESULTS_FILE,
)
from training.errors import TrainingError
from training.fence import OPEN, Fence


class RunIsBusy(TrainingError):
    """Another process is working in this run folder."""


class NotARun(TrainingError):
    """The folder holds no valid config.json."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and append-only records of one run."""

    path: Path
    writes: bool = True
    """Of processes that train together one writes."""
    fence: Fence = OPEN
    """Checked before each write: Fenced is raised where the run was handed to another process."""

    @property
    def last_checkpoint(self) -> Path:
        """What a resumed run starts from."""
        return self.path / "checkpoints" / "last.safetensors"

    @property
    def best_weights(self) -> Path:
        """Weights of the epoch with the best score on validation data."""
        return self.path / "checkpoints" / "best.safetensors"

    @property
    def metrics_file(self) -> Path:
        """One JSON object a line: epoch, step, part (train or val), metrics."""
        return self.path / METRICS_FILE

    @property
    def results_file(self) -> Path:
        """What the recipe ended with, as JSON."""
        return self.path / RESULTS_FILE

    def config(self) -> RecipeConfig:
        """The recipe's configuration; raises NotARun."""
        file = self.path / CONFIG_FILE
        try:
            return RECIPE_CONFIG.validate_json(file.read_bytes())
        except OSError as error:
            raise NotARun(f"{self.path} is not a run folder: {error}") from error
        except ValidationError as error:
            raise NotARun(f"{file} is not a valid configuration:\n{error}") from error

    def prepare(self, config: RecipeConfig) -> None:
        """Make the folder and write `config`; an existing one's must make the same figures."""
        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / CONFIG_FILE
        if file.exists() and not same_figures(self.config(), config):
            raise RunIsBusy(
                f"{self.path} already holds a run with another configuration; "
                "choose another folder, or delete that one"
            )
        replace_text(file, config.model_dump_json(indent=2) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against a second process, for as long as this one lives at most."""
        with (self.path / LOCK_FILE).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RunIsBusy(f"another process is running in {self.path}") from error
            # A loader's worker outlives a killed run by seconds: it must not go on holding this.
            os.register_at_fork(after_in_child=file.close)
            yield

    def event(self, kind: str, **fields: Any) -> None:
        """Append to events.jsonl: what happened, and when."""
        if not self.writes:
            return
        record = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": kind}
        self.fence.check()
        _append(self.path / EVENTS_FILE, record | fields)

    def metrics(self, *, epoch: int, step: int, part: str, metrics: dict[str, float]) -> None:
        """Append to metrics.jsonl; it holds no times, so equal runs make equal files."""
        record = {"epoch": epoch, "step": step, "part": part, "metrics": metrics}
        self.fence.check()
        _append(self.metrics_file, record)

    def drop_metrics_after(self, epoch: int, step: int) -> None:
        """Forget what came after a checkpoint: the resumed run will measure it again."""
        if not self.writes or not self.metrics_file.exists():
            return
        lines = self.metrics_file.read_text().splitlines()
        kept = [line for line in lines if _is_before(line, epoch, step)]
        self.write(self.metrics_file, "".join(f"{line}\n" for line in kept))

    def write(self, file: Path, text: str) -> None:
        """Replace a file of the run in one step."""
        self.fence.check()
        replace_text(file, text)

    def picture(self, name: str, content: bytes) -> None:
        """Replace the PNG file `name` among the run's pictures."""
        self.fence.check()
        folder = self.path / "pictures"
        folder.mkdir(exist_ok=True)
        replace_bytes(folder / f"{name}.png", content)


def _append(path: Path, record: dict[str, Any]) -> None:
    line = json.dumps(record) + "\n"
    with path.open("a+b") as file:
        if file.tell() and _last_byte(file) != b"\n":
            line = "\n" + line  # what a kill or a full disk cut short stays a line of its own
        file.write(line.encode())


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def _is_before(line: str, epoch: int, step: int) -> bool:
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        return False  # cut short by a kill
    return (record["epoch"], record["step"]) <= (epoch, step)
