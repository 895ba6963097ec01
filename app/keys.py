"""API keys: a file of names, scopes and hashes; the keys themselves are kept nowhere."""

import fcntl
import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import AppError
from models.files import replace_text

_log = logging.getLogger(__name__)
_PREFIX = "sentiscope_"
_BYTES = 32


class Scope(StrEnum):
    """What a key opens."""

    PREDICT = "predict"
    """Predictions, and reading models."""

    JOBS = "jobs"
    """Jobs and data sets."""

    ADMIN = "admin"
    """Aliases and deletions."""


class KeysUnreadable(AppError):
    """The file of API keys cannot be used."""


class KeyExists(AppError):
    """There is a key of this name."""


class UnknownKey(AppError):
    """There is no key of this name."""


class ApiKey(BaseModel):
    """One key, known by the hash of its text: 256 random bits need no slow hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: frozenset[Scope] = Field(min_length=1)
    created_at: datetime


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[ApiKey, ...]


class KeyRing:
    """The keys of a file that may change while the service runs; safe between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._keys = read_keys(path)

    def find(self, text: str) -> ApiKey | None:
        """The key of this text, compared with all of them in constant time."""
        digest, found = _digest(text), None
        for key in self._current():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def _current(self) -> tuple[ApiKey, ...]:
        """The file's keys as they are now: a revoked key ends at once, a lost file opens none."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            try:
                self._keys = read_keys(self._path)
            except KeysUnreadable as error:
                _log.error("no key is accepted: %s", error)
                self._keys = ()
            self._stamp = stamp
        return self._keys


def key_ring(path: Path) -> KeyRing | None:
    """The keys of a file; None where there is none, raises KeysUnreadable where it is damaged."""
    return KeyRing(path) if path.exists() else None


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys in a file; raises KeysUnreadable."""
    try:
        return _File.model_validate_json(path.read_bytes()).keys
    except OSError as error:
        raise KeysUnreadable(f"the key file {path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise KeysUnreadable(f"{path} is not a file of API keys: {error}") from error


def create_key(path: Path, name: str, scopes: frozenset[Scope]) -> str:
    """Add a key to the file, which need not exist; returns its text, which is not kept."""
    text = _PREFIX + secrets.token_urlsafe(_BYTES)
    key = ApiKey(name=name, sha256=_digest(text), scopes=scopes, created_at=datetime.now(UTC))
    with _locked(path):
        keys = _existing(path)
        if any(each.name == name for each in keys):
            raise KeyExists(f"there is a key {name!r}; revoke it first, or choose another name")
        _write(path, (*keys, key))
    return text


def revoke_key(path: Path, name: str) -> None:
    """Remove a key from the file; a running service refuses it from then on."""
    with _locked(path):
        keys = _existing(path)
        kept = tuple(key for key in keys if key.name != name)
        if len(kept) == len(keys):
            known = ", ".join(key.name for key in keys) or "none"
            raise UnknownKey(f"there is no key {name!r}; known: {known}")
        _write(path, kept)


def _existing(path: Path) -> tuple[ApiKey, ...]:
    return read_keys(path) if path.exists() else ()


def _write(path: Path, keys: tuple[ApiKey, ...]) -> None:
    replace_text(path, _File(keys=keys).model_dump_json(indent=2) + "\n", mode=0o600)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
