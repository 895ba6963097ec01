"""Signals ask for a stop, or interrupt at once; afterwards they mean what they meant before."""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from training.stopping import Stopped, interrupt_on_signals, stop_on_signals

EITHER_SIGNAL = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


@EITHER_SIGNAL
def test_a_signal_asks_for_a_stop_and_interrupts_nothing(number: signal.Signals) -> None:
    with stop_on_signals() as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested


@EITHER_SIGNAL
def test_a_ctrl_c_after_a_signal_interrupts_at_once(number: signal.Signals) -> None:
    with stop_on_signals():
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_second_sigterm_still_only_asks() -> None:
    with stop_on_signals() as stop:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested


@EITHER_SIGNAL
def test_work_with_nothing_to_save_is_interrupted_at_once(number: signal.Signals) -> None:
    with pytest.raises(Stopped, match="start over"), interrupt_on_signals():
        signal.raise_signal(number)


def interrupted_twice(tidied: list[str]) -> None:
    with interrupt_on_signals():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            tidied.append("all of it")


def test_tidying_up_after_an_interruption_is_not_interrupted_again() -> None:
    tidied: list[str] = []
    with pytest.raises(Stopped):
        interrupted_twice(tidied)
    assert tidied == ["all of it"]


@pytest.mark.parametrize("context", [stop_on_signals, interrupt_on_signals])
def test_signals_mean_afterwards_what_they_meant_before(
    context: Callable[[], AbstractContextManager[object]],
) -> None:
    before = handlers()
    with context():
        assert handlers() != before
    assert handlers() == before


def test_a_run_that_fails_leaves_the_signals_as_they_were() -> None:
    before = handlers()
    with pytest.raises(Stopped), stop_on_signals():
        raise Stopped
    assert handlers() == before
