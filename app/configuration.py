"""A job's configuration as a client gives it: presets laid under it, every fault found at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.errors import Fault
from training.config.presets import PRESET, UnknownPreset, settled
from worker.jobs import JOB_CONFIG, JobConfig, JobKind

Loc = tuple[str | int, ...]
_RECIPE = "recipe"
NOT_SETTABLE: Mapping[str, str] = {
    "registry": "the operator says where models are kept; leave it out",
    "notes": "a file of the host cannot be named over HTTP; leave it out",
}
"""Fields of an export that name files of the host."""


def configured(
    kind: JobKind, given: Mapping[str, Any], *, loc: Loc
) -> tuple[JobConfig | None, list[Fault]]:
    """The configuration, or what is wrong; `loc` is where `given` stands in the request."""
    faults = _host_faults(kind, given, loc)
    if given.get(_RECIPE, kind) != kind:
        said = f"{given[_RECIPE]!r} is not the job's kind, {kind}; leave it out or change the kind"
        return None, [*faults, Fault((*loc, _RECIPE), said)]
    try:
        whole = settled(given, role=_role(kind, given))
    except UnknownPreset as error:
        return None, [*faults, Fault((*loc, *error.place, PRESET), str(error))]
    recipe = whole.setdefault(_RECIPE, str(kind))
    if recipe != kind:
        said = f"{given[PRESET]!r} configures {recipe}, the job's kind is {kind}"
        return None, [*faults, Fault((*loc, PRESET), said)]
    try:
        return JOB_CONFIG.validate_python(whole), faults
    except ValidationError as error:
        return None, [*faults, *of_validation(error, whole, loc=loc)]


def of_validation(error: ValidationError, given: Any, *, loc: Loc) -> list[Fault]:
    """The faults of `given`, each where a client finds it in what it sent."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        Fault((*loc, *_places(each, given)), each["msg"].removeprefix("Value error, "))
        for each in found
        if not _follows_from_another(each, found)
    ]


def _follows_from_another(fault: ErrorDetails, faults: Sequence[ErrorDetails]) -> bool:
    """Whether a list is called too short only because an entry of it is wrong."""
    at = fault["loc"]
    inside = (each for each in faults if each is not fault and each["loc"][: len(at)] == at)
    return fault["type"] == "too_short" and any(inside)


def _has(given: Any, part: str | int) -> bool:
    if isinstance(given, list):
        return isinstance(part, int) and part < len(given)
    return isinstance(given, Mapping) and part in given


def _role(kind: JobKind, given: Mapping[str, Any]) -> str:
    """What a preset named by its folder alone stands for: of a pre-training it is the step."""
    step = given.get("step")
    return step if kind is JobKind.PRETRAIN and isinstance(step, str) else str(kind)


def _host_faults(kind: JobKind, given: Mapping[str, Any], loc: Loc) -> list[Fault]:
    if kind is JobKind.PIPELINE:
        given, loc = given.get("export", {}), (*loc, "export")
    elif kind is not JobKind.EXPORT:
        return []
    if not isinstance(given, Mapping):
        return []
    return [Fault((*loc, name), said) for name, said in NOT_SETTABLE.items() if name in given]


def _places(fault: ErrorDetails, given: Any) -> list[str | int]:
    """Where a fault is, without the names of a union's members: they stand for nothing sent."""
    kept: list[str | int] = []
    for part in fault["loc"]:
        if _has(given, part):
            given = given[part]
            kept.append(part)
    return [*kept, fault["loc"][-1]] if fault["type"] == "missing" else kept
