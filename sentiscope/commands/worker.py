"""`sentiscope worker`."""

import os
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from sentiscope.output import fail


def worker(
    queues: Annotated[str, typer.Option(help="Queues to take jobs from, by comma.")] = "gpu,cpu",
    name: Annotated[str | None, typer.Option(help="Name of this worker; default: made up.")] = None,
) -> None:
    """Take jobs from the Redis that REDIS_URL names, one at a time, until told to end."""
    if find_spec("celery") is None or find_spec("redis") is None:
        fail("a worker needs the 'jobs' extra; use `make setup`, then .venv/bin")
    from pydantic import ValidationError

    from worker.jobs import Queue
    from worker.settings import JobSettings

    try:
        settings = JobSettings()
    except ValidationError as error:
        fail(f"a setting is wrong: {error}")
    if settings.redis_url is None:
        fail("a worker takes its jobs from a Redis: set REDIS_URL, the same as for the API")
    if unknown := set(queues.split(",")) - set(Queue):
        fail(f"no such queue: {', '.join(sorted(unknown))}; there are {', '.join(Queue)}")
    os.execv(sys.executable, _celery(queues, name or f"worker-{os.getpid()}"))


def _celery(queues: str, name: str) -> list[str]:
    """One job at a time: a worker is one GPU, or all that it sees."""
    program = [sys.executable, "-m", "celery", "--app", "worker.celery_app", "--quiet", "worker"]
    options = {
        "--pool": "prefork",
        "--concurrency": "1",
        "--queues": queues,
        "--hostname": f"{name}@%h",
    }
    alone = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    return [*program, *(part for option in options.items() for part in option), *alone]
