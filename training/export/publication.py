"""What an export is about to publish, noted in its run: one that is started again finds it made."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from models.bundle import Bundle
from models.errors import ModelError
from models.registry import Registry
from training.run import RunFolder

_FILE = ".publication.json"


@dataclass(frozen=True, slots=True)
class Publication:
    """A version of a model and the digest that it has if it came from this run."""

    name: str
    version: str
    digest: str

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """Of a whole bundle, which may still be on its way."""
        return cls(bundle.manifest.name, bundle.manifest.version, bundle.digest)

    def note(self, run: RunFolder) -> None:
        """Keep it in the run folder, on the disk before the version appears."""
        run.write(_file(run), json.dumps(asdict(self)) + "\n")


def published(run: RunFolder, registry: Registry, *, weights_sha256: str) -> Bundle | None:
    """What this run has published of these weights, if that is there."""
    try:
        noted = Publication(**json.loads(_file(run).read_bytes()))
        bundle = registry.open(f"{noted.name}@{noted.version}")
    except (FileNotFoundError, ModelError):
        return None
    is_ours = Publication.of(bundle) == noted
    return bundle if is_ours and bundle.manifest.lineage.weights_sha256 == weights_sha256 else None


def _file(run: RunFolder) -> Path:
    return run.path / _FILE
