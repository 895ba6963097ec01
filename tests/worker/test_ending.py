"""How an attempt ended, from exit status, events, results and log."""

from typing import Any

import pytest

from worker.account import Account
from worker.ending import Asked, Ending, Failed, Finished, Killed, Remains, Stopped, ending
from worker.jobs import Failure

MEMBER_KILLED = "  exitcode  : -9 (pid: 4711)"


def ended(status: int, **known: Any) -> Ending:
    nothing = {"asked": None, "account": Account(), "results": None, "printed": ()}
    return ending(Remains(status, **{**nothing, **known}))


def test_results_are_the_end_whatever_came_after() -> None:
    results = {"best_epoch": 2}
    for status in (0, 1, -9):
        assert ended(status, results=results, asked=Asked.CANCEL) == Finished(results)


@pytest.mark.parametrize("status", [75, 76, -15, -9])
def test_who_was_asked_to_stop_has_stopped(status: int) -> None:
    assert ended(status, asked=Asked.PAUSE) == Stopped(Asked.PAUSE)


def test_together_the_run_itself_tells_that_it_stopped() -> None:
    account = Account(stopped=True)
    assert ended(1, asked=Asked.PAUSE, account=account) == Stopped(Asked.PAUSE)


def test_a_process_that_something_killed_may_go_on() -> None:
    assert ended(-9) == Killed("the process was killed by SIGKILL")
    assert ended(1, printed=(MEMBER_KILLED,)) == Killed("the process was killed by SIGKILL")


def test_a_process_that_somebody_else_stopped_may_go_on() -> None:
    assert isinstance(ended(75), Killed)
    assert isinstance(ended(76), Killed)


def test_the_reason_of_a_failure_is_what_the_run_told() -> None:
    failure = Failure(type="Diverged", message="the loss became nan")
    found = ended(1, account=Account(failure=failure), printed=("error: something", "bye"))
    assert found == Failed(failure)


def test_else_it_is_the_line_that_says_error() -> None:
    printed = ("loading", "error: config.json is not valid:", "  epochs is missing", "")
    message = "config.json is not valid:\n  epochs is missing"
    assert ended(1, printed=printed) == Failed(Failure(type="TrainingError", message=message))


def test_else_it_is_the_last_line_there_is() -> None:
    found = ended(1, printed=("Traceback", "KeyError: 'x'", ""))
    assert isinstance(found, Failed)
    assert found.failure.message == "exit status 1; the last line of its log: KeyError: 'x'"
    silent = ended(3)
    assert isinstance(silent, Failed)
    assert "it printed nothing" in silent.failure.message
