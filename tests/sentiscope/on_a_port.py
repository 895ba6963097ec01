"""An ASGI application on a real port, in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from app.factory import create_app
from tests.app.client import publish_tiny, tiny_settings
from tests.processes import until


@contextmanager
def on_a_port(app: ASGIApp, *, lifespan: bool) -> Iterator[str]:
    """Its address, once it listens."""
    config = uvicorn.Config(
        app, port=0, lifespan="on" if lifespan else "off", log_level="warning", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started or None, timeout_s=20)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def tiny_service(folder: Path, **settings: object) -> Iterator[str]:
    """The address of a service that answers with `tiny`, whose three labels are colours."""
    publish_tiny(folder)
    with on_a_port(create_app(tiny_settings(folder, **settings)), lifespan=True) as url:
        yield url
