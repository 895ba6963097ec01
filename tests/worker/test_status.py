"""The table of moves: complete, and what the contract's actions need."""

import pytest

from worker.status import MOVES, ForbiddenMove, JobStatus, check_move

ENDED = {JobStatus.CANCELLED, JobStatus.SUCCEEDED, JobStatus.FAILED}


def test_every_state_has_its_moves_and_none_leads_to_itself() -> None:
    assert set(MOVES) == set(JobStatus)
    assert all(status not in moves for status, moves in MOVES.items())


def test_every_state_can_be_reached_from_queued() -> None:
    reached = {JobStatus.QUEUED}
    while fresh := {move for status in reached for move in MOVES[status]} - reached:
        reached |= fresh
    assert reached == set(JobStatus)


@pytest.mark.parametrize("status", sorted(set(JobStatus) - ENDED))
def test_a_job_that_has_not_ended_can_still_end(status: JobStatus) -> None:
    reached = set(MOVES[status])
    while fresh := {move for known in reached for move in MOVES[known]} - reached:
        reached |= fresh
    assert reached & ENDED


def test_a_succeeded_job_stays_so() -> None:
    with pytest.raises(ForbiddenMove, match="a succeeded job cannot become running"):
        check_move(JobStatus.SUCCEEDED, JobStatus.RUNNING)


def test_a_refused_move_names_the_possible_ones() -> None:
    with pytest.raises(ForbiddenMove, match="possible: cancelled, queued"):
        check_move(JobStatus.PAUSED, JobStatus.RUNNING)


def test_a_queued_job_may_start() -> None:
    check_move(JobStatus.QUEUED, JobStatus.RUNNING)
