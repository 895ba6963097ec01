"""`sentiscope serve`."""

from typing import Annotated

import typer

from sentiscope.service_settings import read_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve predictions over HTTP; more settings are read from SENTISCOPE_* variables."""
    from app.main import serve as serve_app

    settings, jobs = read_settings(host, port)
    serve_app(settings, jobs)
