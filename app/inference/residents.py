"""The models that the processes have in memory, each in all of them."""

import asyncio
import logging
import weakref
from collections.abc import Iterable
from contextlib import suppress
from typing import cast

from app.errors import InferenceLost
from app.inference.link import Link
from app.inference.messages import Failure, Load, Reply, Unload, pack
from app.loaded_model import LoadedModel
from app.settings import Settings
from models.bundle import Bundle
from models.manifest import Precision
from models.runtime import Provider
from models.selection import Choice

_log = logging.getLogger(__name__)


class Residents:
    """Has models loaded, and unloaded when nobody in the service holds them any more."""

    def __init__(self, settings: Settings, links: Iterable[Link]) -> None:
        self._settings = settings
        self._links = links  # those of the moment
        self._loop = asyncio.get_running_loop()
        self._models: weakref.WeakValueDictionary[str, LoadedModel] = weakref.WeakValueDictionary()

    async def opened(self, bundle: Bundle) -> LoadedModel:
        """Have it loaded by one process after the other, while the rest answer; raises ModelError.

        Raises InferenceLost where there is no process.
        """
        precision: Precision | None = None
        for link in tuple(self._links):
            choice = self._settings.precision if precision is None else Choice(precision.value)
            with suppress(InferenceLost):  # the one in its place gets what all have
                precision = cast(Precision, await link.ask(self._load(bundle, choice)))
                link.models.add(bundle.digest)
        if precision is None:
            raise InferenceLost
        copies = self._settings.workers
        model = LoadedModel(bundle, precision, Provider.CPU, None, copies=copies)
        self._models[bundle.digest] = model
        weakref.finalize(model, self._nobody_holds, bundle.digest).atexit = False
        return model

    def give_all(self, link: Link) -> None:
        """Have a new process load what the others have."""
        self.give(link, tuple(self._models.values()))

    def give(self, link: Link, models: Iterable[LoadedModel]) -> None:
        """Have a process load what it lacks of `models`, before what it is sent next."""
        for model in models:
            if model.bundle.digest not in link.models:
                self._give(link, model)

    def _give(self, link: Link, model: LoadedModel) -> None:
        bundle = model.bundle
        link.models.add(bundle.digest)

        def told(reply: Reply | Failure) -> None:
            if isinstance(reply, Failure):
                link.models.discard(bundle.digest)
                _log.warning("%s could not be loaded again: %s", bundle.label, reply.error)

        link.post(pack(self._load(bundle, Choice(model.precision.value))), told)

    def _load(self, bundle: Bundle, choice: Choice) -> Load:
        return Load(bundle.path, bundle.digest, choice, self._settings.threads)

    def _nobody_holds(self, digest: str) -> None:
        """Called in whichever thread gave a model up."""
        with suppress(RuntimeError):  # the loop is closed, and the processes end
            self._loop.call_soon_threadsafe(self._unload, digest)

    def _unload(self, digest: str) -> None:
        if digest in self._models:  # loaded anew meanwhile
            return
        for link in self._links:
            if digest in link.models:
                link.models.discard(digest)
                link.post(pack(Unload(digest)), _ignore)


def _ignore(reply: Reply | Failure) -> None:
    del reply
