"""A pipeline's state, for every combination of its steps' states that there can be."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import pytest

from training.config.pipeline import PipelineStep
from worker.expansion import DEPENDS_ON
from worker.pipeline_state import derived, is_doomed, route
from worker.status import ENDED, MOVES, JobStatus, check_move

S = JobStatus
ALIVE = frozenset(S) - ENDED
PRETRAININGS = 3


@dataclass(frozen=True)
class Step:
    """What the derivation looks at."""

    id: str
    status: JobStatus
    depends_on: tuple[str, ...]


def steps(*statuses: JobStatus) -> tuple[Step, ...]:
    """The six steps in their order."""
    return tuple(
        Step(step.value, status, tuple(before.value for before in DEPENDS_ON[step]))
        for step, status in zip(PipelineStep, statuses, strict=True)
    )


def combinations() -> Iterator[tuple[Step, ...]]:
    """Every one in which nothing started before its dependencies; the first three are alike."""
    waits = (S.QUEUED, S.PAUSED, S.CANCELLED)
    for first in combinations_with_replacement(S, PRETRAININGS):
        for rest in product(S, repeat=3):
            done = all(status is S.SUCCEEDED for status in first)
            for status in rest:
                if not done and status not in waits:
                    break
                done = done and status is S.SUCCEEDED
            else:
                yield steps(*first, *rest)


ALL = tuple(combinations())


def test_there_are_many_combinations() -> None:
    assert len(ALL) > 3_000


@pytest.mark.parametrize("parent", S)
def test_the_state_it_belongs_into_can_be_reached_by_legal_moves(parent: JobStatus) -> None:
    for wanted in {derived(parent, found) for found in ALL}:
        current = parent
        for move in route(parent, wanted):
            assert current not in ENDED
            check_move(current, move)
            current = move
        assert current is wanted


@pytest.mark.parametrize("parent", S)
def test_the_state_it_belongs_into_is_its_own_afterwards(parent: JobStatus) -> None:
    for found in ALL:
        wanted = derived(parent, found)
        assert derived(wanted, found) is wanted


@pytest.mark.parametrize("parent", sorted(ENDED))
def test_an_ended_pipeline_stays_so_whatever_its_steps_do(parent: JobStatus) -> None:
    assert {derived(parent, found) for found in ALL} == {parent}


@pytest.mark.parametrize("parent", sorted(ALIVE))
def test_it_ends_exactly_when_all_steps_have(parent: JobStatus) -> None:
    for found in ALL:
        ended = all(step.status in ENDED for step in found)
        assert (derived(parent, found) in ENDED) == ended


@pytest.mark.parametrize("parent", sorted(ALIVE - {S.CANCELLING}))
def test_it_ends_by_its_worst_step(parent: JobStatus) -> None:
    for found in ALL:
        statuses = {step.status for step in found}
        if statuses <= ENDED:
            worst = S.FAILED if S.FAILED in statuses else S.CANCELLED
            only = S.SUCCEEDED if statuses == {S.SUCCEEDED} else worst
            assert derived(parent, found) is only


def test_a_cancelled_one_ends_cancelled_even_where_a_step_failed_meanwhile() -> None:
    ends = {derived(S.CANCELLING, found) for found in ALL}
    assert ends == {S.CANCELLING, S.CANCELLED}


@pytest.mark.parametrize("parent", sorted(ALIVE))
def test_it_runs_while_a_step_runs_and_nothing_is_lost(parent: JobStatus) -> None:
    for found in ALL:
        if any(step.status is S.RUNNING for step in found) and not is_doomed(parent, found):
            assert derived(parent, found) is S.RUNNING


@pytest.mark.parametrize("parent", sorted(ALIVE))
def test_it_is_doomed_once_it_cannot_succeed(parent: JobStatus) -> None:
    lost = {S.FAILED, S.CANCELLED, S.CANCELLING}
    for found in ALL:
        hopeless = parent is S.CANCELLING or any(step.status in lost for step in found)
        assert is_doomed(parent, found) == hopeless


Q, R, P, D = S.QUEUED, S.RUNNING, S.PAUSED, S.SUCCEEDED


@pytest.mark.parametrize(
    ("parent", "statuses", "wanted"),
    [
        (Q, (Q, Q, Q, Q, Q, Q), Q),
        (Q, (R, Q, Q, Q, Q, Q), R),
        (R, (D, D, D, Q, Q, Q), R),  # between two steps it goes on
        (R, (D, D, D, D, D, R), R),
        (R, (D, D, D, D, D, D), S.SUCCEEDED),
        (R, (P, R, D, Q, Q, Q), R),  # one step alone was paused
        (R, (P, Q, D, Q, Q, Q), R),
        (R, (P, D, D, Q, Q, Q), P),  # what is queued waits for the paused step
        (R, (S.PAUSING, D, D, Q, Q, Q), S.PAUSING),
        (S.PAUSING, (S.PAUSING, P, P, P, P, P), S.PAUSING),
        (S.PAUSING, (P, P, P, P, P, P), P),
        (S.PAUSING, (D, P, P, P, P, P), P),
        (S.PAUSING, (D, D, D, D, D, D), S.SUCCEEDED),
        (P, (Q, Q, Q, Q, Q, Q), Q),  # resumed
        (P, (R, Q, Q, Q, Q, Q), R),
        (R, (S.FAILED, S.CANCELLING, D, S.CANCELLED, S.CANCELLED, S.CANCELLED), R),
        (R, (S.CANCELLED, R, D, Q, Q, Q), S.CANCELLING),
        (S.CANCELLING, (D, D, D, D, D, D), S.CANCELLED),
    ],
)
def test_where_it_stands(
    parent: JobStatus, statuses: tuple[JobStatus, ...], wanted: JobStatus
) -> None:
    assert derived(parent, steps(*statuses)) is wanted


def test_a_route_is_the_shortest_and_avoids_ends() -> None:
    assert route(S.QUEUED, S.SUCCEEDED) == (S.RUNNING, S.SUCCEEDED)
    assert route(S.PAUSING, S.RUNNING) == (S.PAUSED, S.QUEUED, S.RUNNING)
    assert route(S.RUNNING, S.PAUSED) == (S.PAUSING, S.PAUSED)
    assert route(S.RUNNING, S.RUNNING) == ()


def test_there_is_no_route_out_of_success() -> None:
    assert not MOVES[S.SUCCEEDED]
    with pytest.raises(ValueError, match="no moves lead from succeeded to queued"):
        route(S.SUCCEEDED, S.QUEUED)
