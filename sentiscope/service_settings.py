"""The service's settings, as the commands that start it read them."""

from typing import TYPE_CHECKING

from sentiscope.output import fail

if TYPE_CHECKING:
    from app.settings import Settings
    from worker.settings import JobSettings


def read_settings(host: str | None, port: int | None) -> "tuple[Settings, JobSettings]":
    """Settings from the environment, over which the options lie; a wrong one ends the command."""
    from pydantic import ValidationError

    from app.settings import Settings
    from worker.settings import JobSettings

    given = {"host": host, "port": port}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        return settings, JobSettings()
    except ValidationError as error:
        fail(f"a setting is wrong: {error}")
