"""Jobs that have to succeed before a new one may start, by where its request refers to them."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.configuration import Loc
from training.config.pipeline import PipelineStep


@dataclass(frozen=True, slots=True)
class Wait:
    """A job that is waited for, and the place in the request that needs what it makes."""

    loc: Loc
    job_id: str


@dataclass(frozen=True, slots=True)
class Waits:
    """All that one request waits for."""

    each: tuple[Wait, ...]

    def ids(self) -> tuple[str, ...]:
        """Ids of the jobs, sorted, each once."""
        return _ids(self.each)

    def by_step(self, *, depth: int) -> dict[PipelineStep, tuple[str, ...]]:
        """Ids for each step of a pipeline, whose name is the `depth`-th part of a place."""
        return {
            step: _ids(wait for wait in self.each if wait.loc[depth] == step)
            for step in PipelineStep
        }


def _ids(waits: Iterable[Wait]) -> tuple[str, ...]:
    return tuple(sorted({wait.job_id for wait in waits}))
