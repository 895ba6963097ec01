"""Configurations by name: those that come with the code, and what is laid over them."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from training.config.recipes import RECIPE_CONFIG, RecipeConfig
from training.errors import TrainingError

SHIPPED = Path(__file__).parents[1] / "configs"
PRESET = "preset"
_RECIPE = "recipe"
_KINDS = ("source", "name", "task")
"""Fields that say which of several things a mapping is: of another kind nothing is inherited.

Where there is a recipe, that one says it, and a name is a mere name.
"""

Place = tuple[str, ...]


class UnknownPreset(TrainingError):
    """No configuration of this name comes with the code."""

    def __init__(self, message: str, *, place: Place = ()) -> None:
        super().__init__(message)
        self.place = place
        """Fields that lead to the mapping that names it."""


class InvalidConfig(TrainingError):
    """A configuration is wrong; the message names every fault."""


@cache
def presets() -> tuple[str, ...]:
    """Names of the configurations that come with the code, sorted."""
    return tuple(sorted(file.relative_to(SHIPPED).with_suffix("").as_posix() for file in _files()))


def read_config(file: Path) -> RecipeConfig:
    """The configuration in a YAML file; raises InvalidConfig and UnknownPreset."""
    return configured(_mapping(file), origin=str(file))


def configured(given: Mapping[str, object], *, origin: str) -> RecipeConfig:
    """The configuration that `given` and the preset it may name make; raises InvalidConfig."""
    whole = settled(given)
    if whole.get(_RECIPE) == "pipeline":
        raise InvalidConfig(
            f"{origin} is a pipeline, whose steps are jobs of their own: submit it as a job "
            "(`sentiscope jobs submit`), or train its steps one by one"
        )
    try:
        return RECIPE_CONFIG.validate_python(whole)
    except ValidationError as error:
        faults = "\n".join(
            f"  {'.'.join(map(str, fault['loc'])) or '(top)'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise InvalidConfig(f"{origin} is not a valid configuration:\n{faults}") from error


def settled(
    given: Mapping[str, object], *, role: str | None = None, place: Place = ()
) -> dict[str, object]:
    """`given` laid over the preset that it names, which may name another; raises UnknownPreset.

    Mappings are merged, unless they are of different kinds; anything else replaces what was there,
    and so does a mapping that names a preset of its own, such as a pipeline's step. A preset may
    be named by its folder alone, as `demo`, where `role` says which file of it is meant: the
    recipe or the step that is configured. `place` is where `given` stands, for the error.
    """
    own = {key: value for key, value in given.items() if key != PRESET}
    if PRESET not in given:
        return _merged({}, own, place)
    name = _shipped_name(given[PRESET], role, place)
    return _merged(settled(deepcopy(_shipped(name))), own, place)


def laid_over(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """`above` laid over `below`, as fields are laid over a preset."""
    return _merged(below, above, ())


def _shipped_name(given: object, role: str | None, place: Place) -> str:
    known = presets()
    for name in (given, f"{given}/{role}"):
        if name in known:
            return str(name)
    raise UnknownPreset(
        f"there is no preset {given!r}{f' for {role}' if role else ''}; known: {', '.join(known)}",
        place=place,
    )


def _merged(
    below: Mapping[str, object], above: Mapping[str, object], place: Place
) -> dict[str, object]:
    merged = dict(below)
    for key, value in above.items():
        under, here = merged.get(key), (*place, key)
        if not isinstance(value, Mapping):
            merged[key] = value
        elif PRESET in value:
            merged[key] = settled(value, role=key, place=here)
        elif isinstance(under, Mapping) and _same_kind(under, value):
            merged[key] = _merged(under, value, here)
        else:
            merged[key] = _merged({}, value, here)
    return merged


def _same_kind(below: Mapping[str, object], above: Mapping[str, object]) -> bool:
    kinds = (_RECIPE,) if _RECIPE in below else _KINDS
    return all(below.get(key, above[key]) == above[key] for key in kinds if key in above)


@cache
def _shipped(name: str) -> Mapping[str, object]:
    """What a preset's file says: files that come with the code stay as they are."""
    return _mapping(SHIPPED / f"{name}.yaml")


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
