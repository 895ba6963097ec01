"""How an attempt at a job ended, told from all that its process left behind."""

import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from training.config.supervision import FENCED, STOPPED
from worker.account import Account
from worker.jobs import Failure

_ERROR_LINE = "error: "
_KILLED_MEMBER = re.compile(r"exitcode\s*:\s*-(\d+)")
_MAX_MESSAGE = 2000


class Asked(Enum):
    """Why a process was asked to stop."""

    LEASE_LOST = "the job is another worker's now"
    CANCEL = "it was cancelled"
    PAUSE = "it was paused"
    TIME_LIMIT = "its time is up"
    WORKER_STOPS = "its worker was stopped"
    RESTORED = "its folder is from a later time than what Redis knows: a backup was restored"
    REDIS_AWAY = "Redis has not answered for the time of a lease"


@dataclass(frozen=True, slots=True)
class Finished:
    """The recipe ran to its end."""

    results: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """The recipe cannot go on."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Stopped:
    """It ended because it was asked to; it can go on from its last checkpoint, if it has one."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class Killed:
    """Something ended it from outside; it can go on likewise."""

    reason: str


Ending = Finished | Failed | Stopped | Killed


@dataclass(frozen=True, slots=True)
class Remains:
    """What there is to tell the ending of a process from."""

    status: int
    """Exit status, negative for a signal."""
    asked: Asked | None
    account: Account
    results: Mapping[str, Any] | None
    printed: Sequence[str]
    """The last lines."""


def ending(remains: Remains) -> Ending:
    """How the process ended.

    Of processes that train together, torchrun's status says only that one failed: then what the
    run told, and what torchrun printed, decides.
    """
    if remains.results is not None:
        return Finished(remains.results)
    failure = remains.account.failure
    if failure is not None:
        return Failed(Failure(type=failure.type, message=failure.message[:_MAX_MESSAGE]))
    killed_by = _killed_by(remains)
    stopped = remains.account.stopped or remains.status in (STOPPED, FENCED)
    if remains.asked is not None and (stopped or killed_by is not None):
        return Stopped(remains.asked)
    if stopped:
        return Killed(f"the process stopped, exit status {remains.status}, and nobody here asked")
    if killed_by is not None:
        return Killed(f"the process was killed by {_signal_name(killed_by)}")
    return Failed(_failure_printed(remains))


def _killed_by(remains: Remains) -> int | None:
    """The signal that ended the process, or one of those that trained together."""
    if remains.status < 0:
        return -remains.status
    found = _KILLED_MEMBER.findall("\n".join(remains.printed))
    return int(found[-1]) if found else None


def _failure_printed(remains: Remains) -> Failure:
    begins = [at for at, line in enumerate(remains.printed) if line.startswith(_ERROR_LINE)]
    if begins:
        said = "\n".join(remains.printed[begins[-1] :]).removeprefix(_ERROR_LINE).rstrip()
        return Failure(type="TrainingError", message=said[:_MAX_MESSAGE])
    last = next((line for line in reversed(remains.printed) if line), "it printed nothing")
    message = f"exit status {remains.status}; the last line of its log: {last[:_MAX_MESSAGE]}"
    return Failure(type="ProcessFailed", message=message)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
