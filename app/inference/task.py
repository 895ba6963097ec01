"""A job on its way from the queue to whatever runs it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """A job's value, and the seconds that it waited for a hand and then ran."""

    value: T
    since: float
    """When it came, on the clock of `time.perf_counter`."""

    waited_s: float
    ran_s: float


@dataclass(frozen=True, slots=True)
class Task:
    """A job, and who waits for it since when."""

    job: Callable[[], Any]
    future: "asyncio.Future[Any]"
    """Touched by the thread of its event loop alone; whether it is cancelled, others may ask."""

    since: float
    leave: Callable[[], None]
    """Gives its place in the queue free; called before who waits is told, so that its next request
    finds room."""

    def begin(self) -> bool:
        """Whether it is still wanted."""
        wanted = not self.future.cancelled()
        if not wanted:
            self.leave()
        return wanted

    def cancel(self) -> None:
        """Nobody will run it; from whichever thread."""
        settle_from_thread(self.future, self.future.cancel)

    def succeed(self, value: Any, *, began: float, ran_s: float) -> None:
        """It ran, from `began` on, on the clock of `since`."""
        if not self.future.done():
            self.future.set_result(Done(value, self.since, began - self.since, ran_s))

    def fail(self, error: BaseException) -> None:
        """It raised."""
        if not self.future.done():
            self.future.set_exception(error)


def settle_from_thread(future: "asyncio.Future[Any]", settle: Callable[[], object]) -> None:
    """Have `settle` called where the future's event loop runs, unless that is closed."""
    with suppress(RuntimeError):
        future.get_loop().call_soon_threadsafe(settle)


Take = Callable[[], Task | None]
"""The task whose turn it is; none where it was dropped meanwhile."""


class Hands(Protocol):
    """What runs tasks, some at a time."""

    @property
    def are_there(self) -> bool:
        """Whether there is any hand."""

    def call(self, take: Take) -> None:
        """Take a task and run it, once a hand is free."""

    def close(self) -> None:
        """Finish what runs."""
