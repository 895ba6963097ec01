"""A bundle: the folder that is a model. Opening one checks every byte and every shape."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from models.errors import ModelError
from models.manifest import GraphFile, Manifest, Precision

MANIFEST = "manifest.json"
DIGEST = "manifest.sha256"
CARD = "README.md"


class BrokenBundle(ModelError):
    """The folder is not a whole, untouched bundle."""


class PrecisionMissing(ModelError):
    """The bundle has no graph of the precision that was asked for."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle on disk."""

    path: Path
    manifest: Manifest
    digest: str
    """SHA-256 of the manifest, and through its checksums of every file."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read and verify the bundle at `path`; raises BrokenBundle with what is wrong."""
        raw = _read(path, MANIFEST)
        digest = hashlib.sha256(raw).hexdigest()
        recorded = _read(path, DIGEST).decode("ascii", "replace").strip()
        if recorded != digest:
            raise _broken(path, f"{MANIFEST} was changed: its SHA-256 is not the one in {DIGEST}")
        try:
            manifest = Manifest.model_validate_json(raw)
        except ValidationError as error:
            raise _broken(path, f"{MANIFEST} is not valid: {error}") from error
        for graph in manifest.graphs:
            _verify(path, graph.file, size=graph.size, sha256=graph.sha256)
        _verify(path, CARD, size=None, sha256=manifest.card_sha256)
        _demand_nothing_else(path, manifest)
        return cls(path, manifest, digest)

    def graph(self, precision: Precision) -> GraphFile:
        """The graph of `precision`; raises PrecisionMissing."""
        graph = self.manifest.graph(precision)
        if graph is None:
            there = ", ".join(graph.precision for graph in self.manifest.graphs)
            raise PrecisionMissing(f"{self.label} has no {precision} graph; it has: {there}")
        return graph

    def graph_path(self, precision: Precision) -> Path:
        """Where the graph of `precision` lies; raises PrecisionMissing."""
        return self.path / self.graph(precision).file

    def card(self) -> str:
        """The model card, Markdown."""
        return (self.path / CARD).read_text(encoding="utf-8")

    @property
    def label(self) -> str:
        """`name@version`."""
        return f"{self.manifest.name}@{self.manifest.version}"


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest and its digest into the bundle folder `path`."""
    raw = (manifest.model_dump_json(indent=2) + "\n").encode()
    (path / MANIFEST).write_bytes(raw)
    (path / DIGEST).write_text(hashlib.sha256(raw).hexdigest() + "\n", encoding="ascii")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, name: str) -> bytes:
    try:
        return (path / name).read_bytes()
    except OSError as error:
        raise _broken(path, f"{name} cannot be read ({error.strerror})") from error


def _verify(path: Path, name: str, *, size: int | None, sha256: str) -> None:
    file = path / name
    if not file.is_file() or file.is_symlink():
        raise _broken(path, f"{name} is missing or not a plain file")
    try:
        found, digest = file.stat().st_size, file_sha256(file)
    except OSError as error:  # the bundle may be deleted meanwhile
        raise _broken(path, f"{name} cannot be read ({error.strerror})") from error
    if size is not None and found != size:
        raise _broken(path, f"{name} has {found} bytes, the manifest says {size}")
    if digest != sha256:
        raise _broken(path, f"{name} was changed: its SHA-256 is not the manifest's")


def _demand_nothing_else(path: Path, manifest: Manifest) -> None:
    """No checksum covers a stray file, yet a graph may read its weights from one."""
    known = {MANIFEST, DIGEST, CARD, *(graph.file for graph in manifest.graphs)}
    try:
        strays = sorted(entry.name for entry in path.iterdir() if entry.name not in known)
    except OSError as error:
        raise _broken(path, f"it cannot be listed ({error.strerror})") from error
    if strays:
        raise _broken(path, f"{', '.join(strays)} does not belong to it; remove it")


def _broken(path: Path, reason: str) -> BrokenBundle:
    return BrokenBundle(f"bundle {path.parent.name}/{path.name} is refused: {reason}")
