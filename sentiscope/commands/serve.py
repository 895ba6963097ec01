"""`sentiscope serve`."""

from typing import Annotated

import typer

from sentiscope.output import fail


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve predictions over HTTP; more settings are read from SENTISCOPE_* variables."""
    from pydantic import ValidationError

    from app.main import serve as serve_app
    from app.settings import Settings
    from worker.settings import JobSettings

    given = {"host": host, "port": port}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        jobs = JobSettings()
    except ValidationError as error:
        fail(f"a setting is wrong: {error}")
    serve_app(settings, jobs)
