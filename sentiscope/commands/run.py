"""`sentiscope run`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from sentiscope.output import fail, told
from sentiscope.service_settings import read_settings


def run(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    folder: Annotated[
        Path, typer.Option(help="Folder of the embedded Redis and of the logs.")
    ] = Path("var"),
) -> None:
    """Run everything on this machine: the API, a worker, and a Redis unless REDIS_URL is set."""
    if find_spec("celery") is None or find_spec("redis") is None:
        fail("jobs need the 'jobs' extra; use `make setup`, then .venv/bin, or `sentiscope serve`")
    from app.errors import AppError
    from sentiscope.launcher import Launcher
    from sentiscope.stop_signals import StopSignals
    from worker.errors import JobError

    settings, jobs = read_settings(host, port)
    with told(AppError, JobError, OSError):
        Launcher(settings, jobs, folder=folder, stop=StopSignals()).run()
