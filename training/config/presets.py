"""Configurations by name: those that come with the code, and what is laid over them."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from training.config.recipes import RECIPE_CONFIG, RecipeConfig
from training.errors import TrainingError

SHIPPED = Path(__file__).parents[1] / "configs"
PRESET = "preset"
_KINDS = ("source", "name", "task", "recipe")
"""Fields that say which of several things a mapping is: of another kind nothing is inherited."""


class UnknownPreset(TrainingError):
    """No configuration of this name comes with the code."""


class InvalidConfig(TrainingError):
    """A configuration is wrong; the message names every fault."""


def presets() -> tuple[str, ...]:
    """Names of the configurations that come with the code, sorted."""
    return tuple(sorted(file.relative_to(SHIPPED).with_suffix("").as_posix() for file in _files()))


def read_config(file: Path) -> RecipeConfig:
    """The configuration in a YAML file; raises InvalidConfig and UnknownPreset."""
    return configured(_mapping(file), origin=str(file))


def configured(given: Mapping[str, object], *, origin: str) -> RecipeConfig:
    """The configuration that `given` and the preset it may name make; raises InvalidConfig."""
    try:
        return RECIPE_CONFIG.validate_python(settled(given))
    except ValidationError as error:
        faults = "\n".join(
            f"  {'.'.join(map(str, fault['loc'])) or '(top)'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise InvalidConfig(f"{origin} is not a valid configuration:\n{faults}") from error


def settled(given: Mapping[str, object]) -> dict[str, object]:
    """`given` laid over the preset that it names, which may name another.

    Mappings are merged, unless they are of different kinds; anything else replaces what was there.
    """
    own = {key: value for key, value in given.items() if key != PRESET}
    if PRESET not in given:
        return own
    name = given[PRESET]
    if name not in presets():
        raise UnknownPreset(f"there is no preset {name!r}; known: {', '.join(presets())}")
    return _merged(settled(_mapping(SHIPPED / f"{name}.yaml")), own)


def _merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping) and _same_kind(under, value):
            merged[key] = _merged(under, value)
        else:
            merged[key] = value
    return merged


def _same_kind(below: Mapping[str, object], above: Mapping[str, object]) -> bool:
    return all(below.get(key, above[key]) == above[key] for key in _KINDS if key in above)


def _mapping(file: Path) -> dict[str, object]:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidConfig(f"{file} is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise InvalidConfig(
            f"{file} is not a valid configuration: expected `recipe: ...` and its fields, "
            f"given {found!r}"
        )
    return {str(key): value for key, value in found.items()}


def _files() -> list[Path]:
    return list(SHIPPED.rglob("*.yaml"))
