"""Runs tasks in processes of their own, so that cores do not wait for one interpreter's lock.

What a decoder or a graph does to its process, by a crash or a flood, ends there too.
"""

import asyncio
import logging
import os
import signal
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self

from app.inference.link import Link
from app.inference.messages import Failure, Reply, Run, pack
from app.inference.nursery import NurseryGone
from app.inference.residents import Residents
from app.inference.task import Take, Task
from app.loaded_model import LoadedModel
from app.settings import Settings
from models.bundle import Bundle

_log = logging.getLogger(__name__)
_AHEAD = 1
"""Tasks that a busy process is sent beforehand."""

_BRIEF_S = 0.025
"""A task that takes longer does so for a reason of its own; what comes next looks for another."""

_PAUSE_S = 1.0
"""Before a process is started anew whose predecessor did not live that long."""

NewProcess = Callable[[], socket.socket]
"""The connection to a new process; raises NurseryGone."""


class ProcessHands:
    """As many processes as there are images at once; one that is lost is started anew."""

    def __init__(self, settings: Settings, new_process: NewProcess) -> None:
        self._new_process = new_process
        self._loop = asyncio.get_running_loop()
        self._links: dict[Link, float] = {}
        self._residents = Residents(settings, self._links)
        self._calls: deque[Take] = deque()
        self._starting: set[asyncio.Task[None]] = set()
        self._lost = 0
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings, new_process: NewProcess) -> AsyncIterator[Self]:
        """Started, and closed in the end."""
        hands = cls(settings, new_process)
        for _ in range(settings.workers):
            await hands._start()
        try:
            yield hands
        finally:
            hands.close()

    @property
    def are_there(self) -> bool:
        """Whether there is any process."""
        return bool(self._links)

    @property
    def alive(self) -> int:
        """Processes that are there."""
        return len(self._links)

    @property
    def lost(self) -> int:
        """Processes that ended though nobody asked for that."""
        return self._lost

    def call(self, take: Take) -> None:
        """Take a task and run it, once a process is free."""
        self._calls.append(take)
        self._give()

    def close(self) -> None:
        """Finish what runs."""
        self._closed = True
        for link in tuple(self._links):
            link.close()
        for task in self._starting:
            task.cancel()

    def open_model(self, path: Path) -> LoadedModel:
        """Have the bundle at a path in all processes; raises ModelError and InferenceLost.

        Waits for them, so it is not for the thread of the event loop.
        """
        opening = self._residents.opened(Bundle.open(path))
        return asyncio.run_coroutine_threadsafe(opening, self._loop).result()

    def _give(self) -> None:
        while self._calls and (link := self._free()) is not None:
            task = self._calls.popleft()()
            if task is not None and task.begin():
                self._run(link, task)

    def _free(self) -> Link | None:
        """An idle process, or that of the busy ones which will be idle first.

        It is sent a task beforehand so as not to wait for us then; not where it has been busy for
        so long that nobody knows when that ends.
        """
        recent, busy = time.perf_counter() - _BRIEF_S, None
        for link in self._links:
            if not link.in_hand:
                return link
            if link.in_hand <= _AHEAD and link.since > recent:
                busy = link if busy is None or link.since < busy.since else busy
        return busy

    def _run(self, link: Link, task: Task) -> None:
        packed = pack(Run(task.job))
        self._residents.give(link, packed.models)
        if not link.in_hand:
            link.since = time.perf_counter()
        link.in_hand += 1
        link.post(packed, partial(self._settle, link, task))

    def _settle(self, link: Link, task: Task, reply: Reply | Failure) -> None:
        link.in_hand -= 1
        link.since = time.perf_counter()
        self._give()
        task.leave()
        if isinstance(reply, Failure):
            task.fail(reply.error)
        else:
            task.succeed(reply.value, began=reply.began, ran_s=reply.ran_s)

    async def _start(self, pause_s: float = 0.0) -> None:
        await asyncio.sleep(pause_s)
        try:
            connection = self._new_process()
        except NurseryGone:
            _log.critical("no process can be started any more; the service ends to be started anew")
            os.kill(os.getpid(), signal.SIGTERM)
            return
        link = Link(self._on_lost)
        await self._loop.create_unix_connection(lambda: link, sock=connection)
        self._residents.give_all(link)
        self._links[link] = time.monotonic()
        self._give()

    def _on_lost(self, link: Link) -> None:
        began = self._links.pop(link)
        if self._closed:
            return
        self._lost += 1
        _log.error("a process that runs images ended and is started anew")
        pause_s = 0.0 if time.monotonic() - began > _PAUSE_S else _PAUSE_S
        task = self._loop.create_task(self._start(pause_s))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
