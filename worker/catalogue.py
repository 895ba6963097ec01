"""The canonical data sets in a folder, by name; read without PyTorch."""

import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from training.config.dataset_card import CARD, DatasetCard
from training.config.fields import NAME_PATTERN
from worker.errors import JobError

_NAMED = 20
_DELETED = ".deleted-"
_DEMO = "demo-"
_LONGEST_IMPORT_S = 2 * 24 * 60 * 60
"""A data set in the making that is older was left by a process that was killed."""


class UnknownDataset(JobError):
    """There is no data set of this name."""


class BrokenDataset(JobError):
    """The data set's card cannot be read."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The data sets below `root`, which need not be there yet."""

    root: Path

    def names(self) -> tuple[str, ...]:
        """Names of all data sets, sorted."""
        found = self.root.glob(f"*/{CARD}")
        return tuple(sorted(card.parent.name for card in found if is_name(card.parent.name)))

    def has(self, name: str) -> bool:
        """Whether there is anything of this name."""
        return is_name(name) and (self.root / name).exists()

    def card(self, name: str) -> DatasetCard:
        """What the data set says of itself; raises UnknownDataset and BrokenDataset."""
        if not is_name(name):
            raise self._unknown(name)
        try:
            return DatasetCard.model_validate_json((self.root / name / CARD).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise self._unknown(name) from None
        except OSError as error:
            raise BrokenDataset(f"{CARD} of {name} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise BrokenDataset(
                f"{CARD} of {name} is not a data set's card, {error.error_count()} faults: "
                f"{error.errors()[0]['msg']}; import it again"
            ) from error

    def remove(self, name: str) -> None:
        """Delete a data set, whole for its readers until it is gone. Raises UnknownDataset."""
        if not is_name(name):
            raise self._unknown(name)
        leaving = self.root / f"{_DELETED}{name}-{secrets.token_hex(4)}"
        try:
            (self.root / name).rename(leaving)
        except FileNotFoundError:
            raise self._unknown(name) from None
        _delete(leaving)

    def sweep(self) -> None:
        """Delete what deletions and imports left that were cut short."""
        for left in self.root.glob(".*"):
            if left.name.startswith(_DELETED) or (_is_staged(left.name) and _is_old(left)):
                _delete(left)

    def _unknown(self, name: str) -> UnknownDataset:
        names = self.names()
        rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        known = f"known: {', '.join(names[:_NAMED])}{rest}" if names else "there are none yet"
        hint = "; `sentiscope datasets demo` paints it" if name.startswith(_DEMO) else ""
        return UnknownDataset(f"there is no data set {name[:80]!r}; {known}{hint}")


def is_name(name: str) -> bool:
    """Whether a data set can be called so."""
    return re.fullmatch(NAME_PATTERN, name) is not None


def _is_staged(name: str) -> bool:
    """Whether a data set in the making is called so, as `tempfile.mkdtemp` did for its import."""
    return re.fullmatch(r"\.[a-z0-9][a-z0-9_.-]*\.[a-z0-9_]{8}", name) is not None


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _LONGEST_IMPORT_S
    except FileNotFoundError:
        return False


def _delete(path: Path) -> None:
    if path.is_symlink():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
