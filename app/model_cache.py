"""Models that were asked for: each loaded once, the latest used within a budget of memory."""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.loaded_model import LoadedModel
from models.bundle import DIGEST, Bundle
from models.errors import ModelError
from models.freshness import Stamp
from models.registry import Registry, UnknownModel

_log = logging.getLogger(__name__)
_TRIES = 3
"""Look-ups of a reference whose alias moves, and whose version goes, while it is looked up."""

FOLLOW_EVERY_S = 1.0
RECHECK_S = 0.05
"""What this process changes counts at once; for what others do it looks no more often than this."""

_NEVER = Stamp((), settled=False)

OpenModel = Callable[[Path], LoadedModel]
"""Opens, checks and warms up the bundle at a path; raises ModelError."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a reference meant when the registry was last looked at."""

    stamp: Stamp
    path: Path
    digest: str
    checked: float
    """When the stamp was last seen to hold, on the clock that only runs forward."""


class _LookAgain(Exception):
    """An alias moved or a version went while this waited for its turn to load."""


class ModelCache:
    """Models by the digest of their bundle; a request keeps the one that it got.

    So an alias can move, and a version go, meanwhile. A moved alias counts here once the version
    that it points to is loaded: until then the one before answers.
    """

    def __init__(
        self,
        registry: Registry,
        open_model: OpenModel,
        *,
        budget_bytes: int,
        recheck_s: float = RECHECK_S,
    ) -> None:
        self.registry = registry
        self._open_model = open_model
        self._budget_bytes = budget_bytes
        self._recheck_s = recheck_s
        self._changes = 0
        self._loaded: OrderedDict[str, LoadedModel] = OrderedDict()  # the latest used comes last
        self._known: dict[str, _Known] = {}
        self._loading = asyncio.Lock()
        self._loads: set[asyncio.Task[LoadedModel]] = set()
        self._failures: dict[str, str] = {}

    @property
    def loaded(self) -> tuple[LoadedModel, ...]:
        """Models in memory, the one not used for longest first."""
        return tuple(self._loaded.values())

    async def model(self, reference: str) -> LoadedModel:
        """The loaded model that `reference` names; raises ModelError."""
        known = self._known.get(reference)
        if known is not None and time.monotonic() - known.checked < self._recheck_s:
            found = self._used(known.digest)
            if found is not None:
                return found
        for _ in range(_TRIES - 1):
            stamp = self._stamp(reference)
            try:
                return await self._model(reference, stamp)
            except ModelError:
                if stamp.settled and stamp == self._stamp(reference):
                    raise
        return await self._model(reference, self._stamp(reference))

    async def bundle(self, name: str, version: str) -> Bundle:
        """The verified bundle, be it loaded or not; raises ModelError."""
        path = self.registry.path(name, version)
        found = self._loaded.get(recorded_digest(path))
        return found.bundle if found else await asyncio.to_thread(Bundle.open, path)

    async def point(self, name: str, alias: str, *, version: str) -> None:
        """Move `alias` once the version runs, so that no request has to wait for it or fail."""
        path, _ = self._look_up(f"{name}@{version}")
        async with self._loading:  # else what was in production comes back, and puts this one out
            await self._opened(path)
            await asyncio.to_thread(self.registry.set_alias, name, alias, version=version)
            self._look_again()

    async def delete(self, name: str, version: str) -> None:
        """Delete the version, on disk and here; raises ModelError."""
        digest = recorded_digest(self.registry.path(name, version))
        await asyncio.to_thread(self.registry.delete, name, version)
        self._look_again()
        found = self._loaded.pop(digest, None)
        if found is not None:
            found.close()

    async def refresh(self) -> None:
        """Load what the references in use mean by now: another process may have moved an alias."""
        for reference, known in tuple(self._known.items()):
            try:
                if self._stamp(reference) != known.stamp:
                    await self._follow(reference)
                self._failures.pop(reference, None)
            except UnknownModel:
                del self._known[reference]
            except Exception as error:  # the boundary of the reference: the others are followed
                if self._failures.get(reference) != str(error):
                    _log.warning("model %s stays as it is: %s", reference, error)
                self._failures[reference] = str(error)

    @asynccontextmanager
    async def following(self, every_s: float = FOLLOW_EVERY_S) -> AsyncIterator[None]:
        """Refresh every `every_s` seconds for as long as this lasts, and unload all at its end."""

        async def follow() -> None:
            while True:
                await asyncio.sleep(every_s)
                await self.refresh()

        task = asyncio.create_task(follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            while self._loaded:
                self._loaded.popitem()[1].close()

    async def _model(self, reference: str, stamp: Stamp) -> LoadedModel:
        known, changes = self._known.get(reference), self._changes
        checked = time.monotonic()
        if known is not None and known.stamp == stamp and stamp.settled:
            path, digest = known.path, known.digest
        else:
            path, digest = self._look_up(reference)
        found = self._used(digest)
        if found is None and known is not None and known.path != path:
            before = self._used(known.digest)
            if before is not None:  # an alias moved; `refresh` loads what it points to
                return before
        try:
            found = found or await self._load(path, changes)
        except _LookAgain:
            return await self._model(reference, self._stamp(reference))
        if changes == self._changes:
            self._known[reference] = _Known(stamp, path, digest, checked)
        return found

    async def _follow(self, reference: str) -> None:
        stamp, changes, checked = self._stamp(reference), self._changes, time.monotonic()
        path, digest = self._look_up(reference)
        if digest not in self._loaded:
            with suppress(_LookAgain):
                await self._load(path, changes)
        if changes == self._changes:
            self._known[reference] = _Known(stamp, path, digest, checked)

    def _look_again(self) -> None:
        """Something changed: what is known, or is being found out, has to be looked at anew."""
        self._changes += 1
        for reference, known in self._known.items():
            self._known[reference] = replace(known, stamp=_NEVER, checked=-math.inf)

    def _look_up(self, reference: str) -> tuple[Path, str]:
        path = self.registry.path(*self.registry.resolve(reference))
        return path, recorded_digest(path)

    def _stamp(self, reference: str) -> Stamp:
        return self.registry.stamp(reference.partition("@")[0])

    def _used(self, digest: str) -> LoadedModel | None:
        found = self._loaded.get(digest)
        if found is not None:
            self._loaded.move_to_end(digest)
        return found

    async def _load(self, path: Path, changes: int) -> LoadedModel:
        """Goes on though nobody should wait for it any more: else a slow model would never come."""
        task = asyncio.create_task(self._load_in_turn(path, changes))
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)
        return await asyncio.shield(task)

    async def _load_in_turn(self, path: Path, changes: int) -> LoadedModel:
        async with self._loading:
            if changes != self._changes:
                raise _LookAgain
            return await self._opened(path)

    async def _opened(self, path: Path) -> LoadedModel:
        """The model at a path, loaded unless it is; for who holds `_loading`."""
        found = self._used(recorded_digest(path))
        if found is None:
            found = await asyncio.to_thread(self._open_model, path)
            self._loaded[found.bundle.digest] = found
            self._make_room()
        return found

    def _make_room(self) -> None:
        """Unload what was not used for longest; the latest stays, however large it is."""
        held = sum(model.memory_bytes for model in self._loaded.values())
        while held > self._budget_bytes and len(self._loaded) > 1:
            _, oldest = self._loaded.popitem(last=False)
            held -= oldest.memory_bytes
            oldest.close()


def recorded_digest(path: Path) -> str:
    """The digest that the bundle at `path` claims; empty where there is none."""
    try:
        return (path / DIGEST).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
