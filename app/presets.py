"""The configurations that come with the code, whole, as a client may send them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from app.configuration import NOT_SETTABLE
from app.job_schemas import Preset
from training.config.presets import PRESET, presets, settled
from worker.jobs import JOB_CONFIG, JobKind

_OF_A_PLAN = "evidence/"
"""What `make results` lays its plans over; their weights are a file that no job may name."""


@cache
def shipped_presets() -> tuple[Preset, ...]:
    """Those for everybody, sorted by name; read once, since they change with the code alone."""
    return tuple(_preset(name) for name in presets() if not name.startswith(_OF_A_PLAN))


def _preset(name: str) -> Preset:
    config = JOB_CONFIG.validate_python(settled({PRESET: name}))
    return Preset(
        name=name, kind=JobKind(config.recipe), config=_settable(config.model_dump(mode="json"))
    )


def _settable(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without what the operator alone decides."""
    if config["recipe"] == JobKind.PIPELINE:
        return {**config, "export": _settable(config["export"])}
    if config["recipe"] != JobKind.EXPORT:
        return dict(config)
    return {name: value for name, value in config.items() if name not in NOT_SETTABLE}
