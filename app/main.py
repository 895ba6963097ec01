"""Serving: settings in, a process that answers until it is told to stop."""

import gc
import logging
import os
import signal
import socket
import sys
from importlib.util import find_spec
from types import FrameType
from typing import NoReturn

import uvicorn
from pydantic import ValidationError

from app import binding, tracing
from app.connection import BoundedHttp
from app.errors import AppError
from app.factory import create_app
from app.greeting import first_request, who_may
from app.inference.nursery import Nursery
from app.keys import KeyRing, key_ring
from app.observation import log_as_json
from app.settings import Settings
from models.runtime import ProviderUnavailable, demand
from worker.settings import JobSettings

_KEEP_ALIVE_S = 75
"""Longer than a proxy keeps an idle connection, commonly a minute: it must not be us who closes."""

_NEEDED_BY_JOBS = ("redis", "celery", "yaml")
_log = logging.getLogger(__name__)


def main() -> None:
    """Serve as the environment says."""
    try:
        settings, jobs = Settings(), JobSettings()
    except ValidationError as error:
        _give_up(f"a setting is wrong: {error}")
    serve(settings, jobs)


def serve(settings: Settings, jobs: JobSettings) -> None:
    """Serve until SIGINT or SIGTERM; raises SystemExit(1) where it cannot listen."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it tells clients' mistakes
    if settings.log_format == "json":
        log_as_json()
    nursery = Nursery.start() if settings.in_processes else None
    try:
        demand(settings.provider)
        keys = key_ring(settings.keys_file)
        tracer_provider = tracing.configured(os.environ)
        listening = _listening(settings, keys)
    except (AppError, ProviderUnavailable) as error:
        _give_up(str(error))

    def announce(readiness: str) -> None:
        gc.freeze()  # what is there by now stays: looking through it all took 60 ms each time
        _say(_greeting(binding.url(listening), readiness, keys))

    def leaving() -> bool:
        return server.should_exit

    config = uvicorn.Config(
        create_app(
            settings,
            _possible(jobs),
            announce=announce,
            leaving=leaving,
            nursery=nursery,
            tracer_provider=tracer_provider,
        ),
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.drain_s,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    server = uvicorn.Server(config)
    server.run(sockets=[listening])


def _possible(jobs: JobSettings) -> JobSettings | None:
    """The settings of jobs, unless what they need is not installed; then that is said."""
    missing = [package for package in _NEEDED_BY_JOBS if find_spec(package) is None]
    if jobs.redis_url is None or not missing:
        return jobs
    _log.warning(
        "REDIS_URL is set, but %s is not installed: predictions only, no jobs (the extra "
        "'jobs' has it)",
        " and ".join(missing),
    )
    return None


def _listening(settings: Settings, keys: KeyRing | None) -> socket.socket:
    if settings.listen_fd is not None:
        return binding.inherited(settings.listen_fd, keys=keys)
    return binding.bind(settings.host, settings.port, keys=keys)


def _greeting(url: str, readiness: str, keys: KeyRing | None) -> str:
    return f"Sentiscope at {url} ({readiness}); {who_may(keys)}. Try: {first_request(url, keys)}"


def _leave(number: int, frame: FrameType | None) -> None:
    """End with status 0; uvicorn raises the signal again here once it has shut down."""
    del number, frame
    raise SystemExit(0)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _give_up(line: str) -> NoReturn:
    sys.stderr.write(line + "\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
