"""What a record shows of all that a run has told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from worker.jobs import Failure, Progress


@dataclass(frozen=True, slots=True)
class Account:
    """The latest progress and figures, and why the run ended if it did so early."""

    progress: Progress | None = None
    metrics: Mapping[str, float] | None = None
    failure: Failure | None = None
    stopped: bool = False

    def after(self, events: Iterable[Mapping[str, Any]]) -> Self:
        """The account once `events` were told too."""
        account = self
        for event in events:
            account = replace(account, **_changes(account, event))
        return account


def _changes(account: Account, event: Mapping[str, Any]) -> dict[str, Any]:
    match event.get("event"):
        case "started":  # another attempt: how the last one ended is past
            return {"failure": None, "stopped": False}
        case "progress":
            known = {name: event[name] for name in Progress.model_fields if name in event}
            return {"progress": Progress(**known)}
        case "epoch":
            return {"metrics": _metrics(event)}
        case "stopped":
            return {"stopped": True}
        case "failed":
            return {"failure": Failure(type=event["type"], message=event["message"])}
        case "finished":
            last = account.progress or Progress()
            whole = {"epoch": last.epochs, "step": last.steps, "fraction": 1.0, "eta_seconds": 0.0}
            return {"progress": last.model_copy(update=whole)}
    return {}


def _metrics(event: Mapping[str, Any]) -> dict[str, float]:
    """The figures of an epoch in one level: `train.single`, `val.single.top1`, ..."""
    parts = {part: event.get(part, {}) for part in ("train", "val")}
    return {
        f"{part}.{name}": value for part, found in parts.items() for name, value in found.items()
    }
