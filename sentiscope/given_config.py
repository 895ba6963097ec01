"""The configuration of a job as the command line gives it: a file or a kind, and what is set."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from worker.jobs import JobKind


class BadConfig(ValueError):
    """What was given makes no configuration."""


def read(what: str, *, preset: str | None, settings: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """Kind and configuration; `what` is a kind or a YAML file. Raises BadConfig."""
    kind, config = (what, {}) if what in set(JobKind) else _of_file(Path(what))
    if preset:
        config["preset"] = preset
    for setting in settings:
        _lay(setting, config)
    return kind, config


def _of_file(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        import yaml

        from training.config.presets import settled
        from training.errors import TrainingError
    except ModuleNotFoundError as error:
        raise BadConfig(f"a file needs the 'train' extra ({error})") from error
    if not file.is_file():
        raise BadConfig(f"{str(file)!r} is neither a file nor a kind ({', '.join(JobKind)})")
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise BadConfig(f"{file} is not a configuration: expected fields, given {config!r}")
        recipe = settled(config).get("recipe")
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TrainingError) as error:
        raise BadConfig(f"{file} cannot be read: {error}") from error
    if not isinstance(recipe, str):
        raise BadConfig(f"{file} does not say what it is: expected `recipe: ...`")
    return recipe, config


def _lay(setting: str, config: dict[str, Any]) -> None:
    """`optimizer.learning_rate=0.1`: values are JSON, and words where they are not."""
    path, equals, text = setting.partition("=")
    if not equals or not all(path.split(".")):
        raise BadConfig(f"--set {setting}: expected field=value or field.field=value")
    *folders, last = path.split(".")
    for folder in folders:
        inner = config.setdefault(folder, {})
        if not isinstance(inner, dict):
            raise BadConfig(f"--set {setting}: {folder} is {inner!r} and has no fields")
        config = inner
    try:
        config[last] = json.loads(text)
    except ValueError:
        config[last] = text
