"""Jobs and what they tell, in words."""

from collections.abc import Mapping

from sentiscope.service.job import Event, Job

_SILENT = frozenset({"progress", "started", "finished"})
"""Events that say what the record says too."""

_BOOKKEEPING = frozenset({"event", "at", "id"})


def sentence(event: Event) -> str | None:
    """What an event says; None where it is not worth a line."""
    data = event.data
    match event.kind:
        case kind if kind in _SILENT:
            return None
        case "status":
            return str(data.get("status"))
        case "step":
            return f"{data.get('step')}: {data.get('status')}"
        case "epoch":
            return (
                f"epoch {data.get('epoch')}: {figures(data.get('val') or data.get('train') or {})}"
            )
        case kind:
            rest = {name: value for name, value in data.items() if name not in _BOOKKEEPING}
            return f"{kind} {', '.join(f'{name} {value}' for name, value in rest.items())}".strip()


def figures(values: Mapping[str, float]) -> str:
    """Named numbers on one line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items())


def place(job: Job) -> str:
    """Where a running job is: its stage, epoch and step."""
    progress = job.progress
    parts = [progress.stage or ""]
    if progress.epochs:
        parts.append(f"epoch {progress.epoch}/{progress.epochs}")
    if progress.steps:
        parts.append(f"step {progress.step}/{progress.steps}")
    return ", ".join(filter(None, parts))


def remaining(job: Job) -> str:
    """How long it will take yet."""
    seconds = job.progress.eta_seconds
    return "" if seconds is None else f"{duration(seconds)} left"


def duration(seconds: float) -> str:
    """As a person says it: 45 s, 12 min, 3 h 05 min."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def ending(job: Job) -> str:
    """What became of a job."""
    if job.error:
        return f"{job.title} {job.status}: {job.error.message}"
    result = job.result
    if result is None or result.model is None:
        return f"{job.title} {job.status}"
    promoted = {True: ", promoted", False: ", not promoted", None: ""}[result.promoted]
    reason = f" ({result.reason})" if result.reason else ""
    return f"{job.title} {job.status}: {result.model}@{result.version}{promoted}{reason}"
