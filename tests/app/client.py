"""The service in this process, spoken to over ASGI: no port, no mock."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from opentelemetry.trace import TracerProvider
from starlette.types import Receive, Scope, Send

from app.factory import create_app
from app.settings import Settings
from models.registry import Registry
from tests.tiny_bundle import tiny_writer
from worker.settings import JobSettings

PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Client:
    """Requests to a running service, for tests that are not asynchronous themselves."""

    portal: BlockingPortal
    http: httpx.AsyncClient

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and read all of the answer."""

        async def send() -> httpx.Response:
            return await self.http.request(method, path, **options)

        return self.portal.call(send)

    def get(self, path: str) -> httpx.Response:
        """GET."""
        return self.request("GET", path)

    def post(self, **options: Any) -> httpx.Response:
        """POST to the predictions."""
        return self.request("POST", "/v1/predictions", **options)

    def send_bytes(self, content: bytes, **query: str) -> httpx.Response:
        """POST the bare bytes of one image."""
        headers = {"Content-Type": "application/octet-stream"}
        return self.post(content=content, headers=headers, params=query)

    def send_files(self, *contents: bytes, **query: str) -> httpx.Response:
        """POST images as parts of a form."""
        files = [("image", (f"{i}.bin", content)) for i, content in enumerate(contents)]
        return self.post(files=files, params=query)


@contextmanager
def serving(
    settings: Settings,
    jobs: JobSettings | None = None,
    *,
    tracer_provider: TracerProvider | None = None,
) -> Iterator[Client]:
    """A service that runs as under a server, its lifespan included."""
    with serving_app(create_app(settings, jobs, tracer_provider=tracer_provider)) as client:
        yield client


@contextmanager
def serving_app(app: FastAPI) -> Iterator[Client]:
    """That service, where it is made already."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_connected(app)) as http,
    ):
        yield Client(portal, http)


@asynccontextmanager
async def _connected(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http


@contextmanager
def occupied(client: Client, seconds: float = 10.0) -> Iterator[Future[bool]]:
    """What the one thread of the service's event loop is busy with, for as long as this at most."""
    free, threads = threading.Event(), ThreadPoolExecutor(1)

    async def use() -> None:
        asyncio.get_running_loop().set_default_executor(threads)

    client.portal.call(use)
    yield threads.submit(free.wait, seconds)
    free.set()


def tiny_settings(folder: Path, **changes: Any) -> Settings:
    """Settings for a service whose models lie in `folder`; nothing is shipped."""
    fixed: dict[str, Any] = {
        "models_root": folder / "models",
        "shipped_root": folder / "shipped",
        "keys_file": folder / "keys.json",
        "model": "tiny",
        "workers": 2,
    }
    return Settings(**{**fixed, **changes})


def publish_tiny(folder: Path, name: str = "tiny") -> Registry:
    """Version 1 of a tiny model in production."""
    registry = Registry(folder / "models", folder / "shipped")
    version = registry.publish(name, tiny_writer(name)).manifest.version
    registry.set_alias(name, "production", version=version)
    return registry


def assert_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Demand the shape that every error has; returns the document."""
    problem: dict[str, Any] = response.json()
    assert response.status_code == status, problem
    assert response.headers["content-type"] == PROBLEM
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:sentiscope:problem:")
    assert problem["detail"]
    for part in problem.get("errors", []):
        assert part.keys() == {"loc", "msg"}
    for leak in ("Traceback", "/work", "/tmp", "/home", "site-packages", "0x"):
        assert leak not in response.text
    return problem
