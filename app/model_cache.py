"""Models that were asked for, each loaded once."""

import asyncio
from pathlib import Path

import numpy as np

from models.bundle import DIGEST, Bundle
from models.manifest import Precision
from models.registry import Registry
from models.runtime import Provider, Session


class ModelCache:
    """Sessions by the digest of their bundle; aliases are looked up anew for each request.

    A request keeps the session that it got, so an alias can move, and a version go, meanwhile.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        precision: Precision,
        provider: Provider,
        threads: int,
    ) -> None:
        self.registry = registry
        self._precision = precision
        self._provider = provider
        self._threads = threads
        self._sessions: dict[str, Session] = {}
        self._loading = asyncio.Lock()

    async def session(self, reference: str) -> Session:
        """The loaded model that `reference` names; raises ModelError."""
        path = self.registry.path(*self.registry.resolve(reference))
        found = self._sessions.get(recorded_digest(path))
        if found is not None:
            return found
        async with self._loading:
            return self._sessions.get(recorded_digest(path)) or await self._load(path)

    async def bundle(self, name: str, version: str) -> Bundle:
        """The verified bundle, be it loaded or not; raises ModelError."""
        path = self.registry.path(name, version)
        found = self._sessions.get(recorded_digest(path))
        return found.bundle if found else await asyncio.to_thread(Bundle.open, path)

    async def point(self, name: str, alias: str, *, version: str) -> None:
        """Move `alias` once the version runs, so that no request has to wait for it or fail."""
        await self.session(f"{name}@{version}")
        await asyncio.to_thread(self.registry.set_alias, name, alias, version=version)

    async def delete(self, name: str, version: str) -> None:
        """Delete the version, on disk and here; raises ModelError."""
        digest = recorded_digest(self.registry.path(name, version))
        await asyncio.to_thread(self.registry.delete, name, version)
        self._sessions.pop(digest, None)

    async def _load(self, path: Path) -> Session:
        session = await asyncio.to_thread(self._open, path)
        self._sessions[session.bundle.digest] = session
        return session

    def _open(self, path: Path) -> Session:
        session = Session.open(
            Bundle.open(path),
            precision=self._precision,
            provider=self._provider,
            threads=self._threads,
        )
        shape = session.manifest.preprocessing.input_shape
        session.run(np.zeros((1, *shape), np.float32))  # the first run is slow: not a client's
        return session


def recorded_digest(path: Path) -> str:
    """The digest that the bundle at `path` claims; empty where there is none."""
    try:
        return (path / DIGEST).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
