"""Models by name, version and alias, in two roots: the shipped one is read, the other written.

A version appears by one rename and never changes; an alias moves by replacing one small file.
"""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.bundle import MANIFEST, BrokenBundle, Bundle
from models.errors import ModelError
from models.files import replace_text, sync, sync_tree
from models.freshness import Stamp
from models.manifest import ALIAS_PATTERN, NAME_PATTERN, VERSION_PATTERN, matches

SHIPPED = Path(__file__).parent / "store"
"""Bundles that come with the code, the `default` model among them."""

PRODUCTION = "production"
"""The alias that a bare model name means."""

_ALIASES = "aliases.json"
_LOCK = ".lock"
_STAGING, _DELETED = ".staging-", ".deleted-"
_PUBLISH_TRIES = 1000


class UnknownModel(ModelError):
    """There is no such model, version or alias."""


class VersionInUse(ModelError):
    """An alias points to the version."""


class NotWritable(ModelError):
    """The version came with the code and cannot be changed here."""


class BadName(ModelError):
    """A model name, version or alias that does not have the form of one."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Reads from `shipped` and `root`; writes to `root` alone, which need not exist yet."""

    root: Path
    shipped: Path = SHIPPED

    def names(self) -> tuple[str, ...]:
        """Names of all models that have a version, sorted."""
        found = {
            folder.name
            for root in (self.shipped, self.root)
            for folder in _folders(root)
            if matches(NAME_PATTERN, folder.name) and _versions(folder)
        }
        return tuple(sorted(found))

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of `name`, oldest first; raises UnknownModel."""
        _demand(NAME_PATTERN, name, what="a model name")
        found = {*_versions(self.shipped / name), *_versions(self.root / name)}
        if not found:
            known = ", ".join(self.names()) or "none"
            raise UnknownModel(f"there is no model {name!r}; known models: {known}")
        return tuple(sorted(found, key=int))

    def aliases(self, name: str) -> dict[str, str]:
        """Version by alias; what is written here overrides what was shipped."""
        versions = self.versions(name)
        merged = {**_read_aliases(self.shipped / name), **_read_aliases(self.root / name)}
        return {alias: version for alias, version in merged.items() if version in versions}

    def resolve(self, reference: str) -> tuple[str, str]:
        """Name and version of `name`, `name@version` or `name@alias`; raises UnknownModel."""
        name, _, selector = reference.partition("@")
        versions, aliases = self.versions(name), self.aliases(name)
        wanted = selector if "@" in reference else PRODUCTION
        version = aliases.get(wanted, wanted)
        if version not in versions:
            raise UnknownModel(
                f"model {name!r} has no version or alias {wanted!r}; "
                f"versions: {', '.join(versions)}; aliases: {', '.join(sorted(aliases)) or 'none'}"
            )
        return name, version

    def path(self, name: str, version: str) -> Path:
        """Folder of one version; raises UnknownModel."""
        if version not in self.versions(name):
            raise UnknownModel(f"model {name!r} has no version {version!r}")
        root = self.root if version in _versions(self.root / name) else self.shipped
        return root / name / version

    def stamp(self, name: str) -> Stamp:
        """Changes whenever a version or an alias of `name` does; raises BadName."""
        _demand(NAME_PATTERN, name, what="a model name")
        folders = (self.root / name, self.shipped / name)
        return Stamp.of((*folders, *(folder / _ALIASES for folder in folders)))

    def open(self, reference: str) -> Bundle:
        """The verified bundle that `reference` names; raises UnknownModel and BrokenBundle."""
        return Bundle.open(self.path(*self.resolve(reference)))

    def set_alias(self, name: str, alias: str, *, version: str) -> None:
        """Point `alias` to `version`, atomically; raises UnknownModel, BadName and BrokenBundle."""
        with self._pointing(name, alias, version) as folder:
            _write_aliases(folder, {**_read_aliases(folder), alias: version})

    def move_alias(self, name: str, alias: str, *, version: str, expected: str | None) -> bool:
        """As `set_alias`, but only if `alias` points to `expected` (None: to nothing); whether so.

        What was decided by looking at `expected` is not done to another version.
        """
        with self._pointing(name, alias, version) as folder:
            if self.aliases(name).get(alias) != expected:
                return False
            _write_aliases(folder, {**_read_aliases(folder), alias: version})
        return True

    def publish(self, name: str, write: Callable[[Path, str], None]) -> Bundle:
        """Make the next version: `write(folder, version)` fills it, then it appears at once.

        Nothing appears if `write` raises or what it wrote is refused as a bundle.
        """
        _demand(NAME_PATTERN, name, what="a model name")
        parent = self.root / name
        parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_PUBLISH_TRIES):
            version = self._next_version(name)
            with _staging(parent) as staging:
                write(staging, version)
                _demand_label(Bundle.open(staging), f"{name}@{version}")
                sync_tree(staging)
                if _renamed(staging, parent / version):
                    sync(parent)
                    sync(self.root)
                    return Bundle.open(parent / version)
        raise ModelError(f"no free version number for {name!r} was found")

    def delete(self, name: str, version: str) -> None:
        """Delete a version made here; raises UnknownModel, VersionInUse and NotWritable.

        A file stays in its place, so that its number means no other model.
        """
        self._demand_deletable(name, version)
        folder = self.root / name
        with _locked(folder):
            self._demand_deletable(name, version)  # an alias may have come meanwhile
            doomed = Path(tempfile.mkdtemp(prefix=_DELETED, dir=folder))
            (folder / version).rename(doomed / version)
            (folder / version).touch()
            sync(folder)
        shutil.rmtree(doomed, ignore_errors=True)  # the next who publishes deletes it else

    @contextmanager
    def _pointing(self, name: str, alias: str, version: str) -> Iterator[Path]:
        """The folder of the model, locked, where `alias` may be pointed to `version`."""
        _demand(ALIAS_PATTERN, alias, what="an alias")
        Bundle.open(self.path(name, version))
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            self.path(name, version)  # it may have been deleted meanwhile
            yield folder

    def _demand_deletable(self, name: str, version: str) -> None:
        path = self.path(name, version)
        pointing = sorted(a for a, target in self.aliases(name).items() if target == version)
        if pointing:
            raise VersionInUse(
                f"{name}@{version} is in use by alias {', '.join(pointing)}; move it first"
            )
        if self.root not in path.parents:
            raise NotWritable(f"{name}@{version} came with the code and cannot be deleted")

    def _next_version(self, name: str) -> str:
        """One more than any number that is taken, be it by a whole bundle or by a remnant."""
        entries = (entry.name for r in (self.shipped, self.root) for entry in (r / name).glob("*"))
        taken = (int(entry) for entry in entries if matches(VERSION_PATTERN, entry))
        return str(max(taken, default=0) + 1)


def _demand(pattern: str, text: str, *, what: str) -> None:
    if not matches(pattern, text):
        raise BadName(f"{text!r} is not {what}; it must match {pattern}")


def _demand_label(bundle: Bundle, label: str) -> None:
    if bundle.label != label:
        raise BrokenBundle(f"the manifest says {bundle.label}, expected {label}")


def _folders(root: Path) -> Iterator[Path]:
    return (entry for entry in root.iterdir() if entry.is_dir()) if root.is_dir() else iter(())


def _versions(folder: Path) -> tuple[str, ...]:
    return tuple(
        entry.name
        for entry in _folders(folder)
        if matches(VERSION_PATTERN, entry.name) and (entry / MANIFEST).is_file()
    )


def _read_aliases(folder: Path) -> dict[str, str]:
    try:
        aliases = json.loads((folder / _ALIASES).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ModelError(f"{_ALIASES} of model {folder.name!r} is not valid JSON") from error
    if not isinstance(aliases, dict):
        raise ModelError(f"{_ALIASES} of model {folder.name!r} is not a JSON object")
    return {str(alias): str(version) for alias, version in aliases.items()}


def _write_aliases(folder: Path, aliases: dict[str, str]) -> None:
    replace_text(folder / _ALIASES, json.dumps(aliases, indent=2, sort_keys=True))


def _renamed(staging: Path, target: Path) -> bool:
    """Whether `staging` became `target`; false where another process was first."""
    try:
        staging.rename(target)
    except OSError:
        if target.exists():
            return False
        raise
    return True


@contextmanager
def _staging(parent: Path) -> Iterator[Path]:
    """A folder to fill, gone in the end; what others left who were killed is deleted first."""
    with _locked(parent):
        _delete_left(parent)
        holder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=parent))
        lock = (holder / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    with lock:
        try:
            staging = holder / "bundle"
            staging.mkdir()
            staging.chmod(0o755)
            yield staging
        finally:
            shutil.rmtree(holder, ignore_errors=True)


def _delete_left(parent: Path) -> None:
    """Delete what nobody fills any more, and what is deleted already."""
    for left in (*parent.glob(f"{_STAGING}*"), *parent.glob(f"{_DELETED}*")):
        if left.name.startswith(_DELETED) or not _is_locked(left):
            shutil.rmtree(left, ignore_errors=True)


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:  # just finished
        return False
    return False


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock file, so that two processes do not lose each other's alias."""
    with (folder / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
