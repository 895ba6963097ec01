import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.guard import SECURITY_HEADERS, Guard, needed_scope
from app.keys import KeyRing, Scope, create_key

ALL = ["GET", "POST", "PUT", "DELETE"]
ADMIN_REQUESTS = [
    ("PUT", "/v1/models/default/aliases/production"),
    ("DELETE", "/v1/models/default/versions/3"),
    ("DELETE", "/v1/datasets/fi"),
]
JOBS_REQUESTS = [
    ("POST", "/v1/jobs"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/jobs/1/artifacts/a/b"),
    ("HEAD", "/v1/jobs/1/artifacts/a/b"),
    ("GET", "/v1/presets"),
    ("GET", "/v1/datasets"),
    ("POST", "/v1/datasets"),
]
PREDICT_REQUESTS = [
    ("POST", "/v1/predictions"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/default/versions/1/card"),
    ("POST", "/v2/models/default/infer"),
    ("GET", "/v2"),
    ("GET", "/metrics"),
    ("GET", "/v1/jobsomething"),
]
OPEN_REQUESTS = [
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/jobs"),
    ("GET", "/models"),
    ("GET", "/static/predict.js"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/v2/health/ready"),
]
CASES = [
    *((request, Scope.ADMIN) for request in ADMIN_REQUESTS),
    *((request, Scope.JOBS) for request in JOBS_REQUESTS),
    *((request, Scope.PREDICT) for request in PREDICT_REQUESTS),
    *((request, None) for request in OPEN_REQUESTS),
]


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.path)


@dataclass(frozen=True, slots=True)
class Client:
    """Requests to a guarded application, one after another."""

    guard: Guard
    base_url: str

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.guard)
            async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as http:
                return await http.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


def guarded(keys: KeyRing | None, base_url: str = "http://localhost:8000") -> Client:
    app = Starlette(routes=[Route("/{path:path}", echo, methods=ALL)])
    return Client(Guard(app, keys=keys), base_url)


@pytest.fixture
def key(tmp_path: Path) -> Callable[..., str]:
    def made(*scopes: Scope) -> str:
        return create_key(tmp_path / "keys.json", "-".join(sorted(scopes)), frozenset(scopes))

    return made


@pytest.mark.parametrize(("request_line", "scope"), CASES)
def test_each_request_needs_the_scope_of_the_contract(
    request_line: tuple[str, str], scope: Scope | None
) -> None:
    assert needed_scope(*request_line) is scope


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW"])
def test_method_that_is_not_listed_needs_the_highest_scope(method: str) -> None:
    assert needed_scope(method, "/v1/predictions") is Scope.ADMIN
    assert needed_scope(method, "/") is Scope.ADMIN


@pytest.mark.parametrize(("request_line", "scope"), CASES)
def test_key_opens_what_its_scope_says_and_nothing_else(
    tmp_path: Path,
    key: Callable[..., str],
    request_line: tuple[str, str],
    scope: Scope | None,
) -> None:
    keys = {each: key(each) for each in Scope}
    client = guarded(KeyRing(tmp_path / "keys.json"))
    bare = client.request(*request_line)
    assert bare.status_code == (200 if scope is None else 401)
    for each, text in keys.items():
        by_bearer = client.request(*request_line, headers={"Authorization": f"Bearer {text}"})
        by_header = client.request(*request_line, headers={"X-API-Key": text})
        expected = 200 if scope in (None, each) else 403
        assert (by_bearer.status_code, by_header.status_code) == (expected, expected)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic c2VudGlzY29wZTp4"},
        {"X-API-Key": ""},
        {"X-API-Key": "nonsense"},
    ],
)
def test_wrong_key_is_told_how_to_send_one(
    tmp_path: Path, key: Callable[..., str], headers: dict[str, str]
) -> None:
    key(*Scope)
    answer = guarded(KeyRing(tmp_path / "keys.json")).post("/v1/predictions", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "key" in answer.json()["detail"]


def test_lacking_scope_is_named(tmp_path: Path, key: Callable[..., str]) -> None:
    text = key(Scope.PREDICT)
    client = guarded(KeyRing(tmp_path / "keys.json"))
    problem = client.get("/v1/jobs", headers={"X-API-Key": text}).json()
    assert "'jobs'" in problem["detail"] or "scope jobs" in problem["detail"]
    assert text not in str(problem)


def test_with_keys_any_host_and_origin_may_ask(tmp_path: Path, key: Callable[..., str]) -> None:
    headers = {"X-API-Key": key(Scope.PREDICT), "Origin": "https://elsewhere.example"}
    client = guarded(KeyRing(tmp_path / "keys.json"), "http://feelings.example")
    assert client.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8123", "[::1]:8000", "LOCALHOST"])
def test_without_keys_loopback_names_are_answered(host: str) -> None:
    assert guarded(None).get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "10.0.0.7:8000", ""]
)
@pytest.mark.parametrize("path", ["/", "/v1/models", "/health/live"])
def test_without_keys_a_rebound_name_is_refused(host: str, path: str) -> None:
    answer = guarded(None).get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://localhost:9999"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_without_keys_other_pages_cannot_drive_the_service(headers: dict[str, str]) -> None:
    answer = guarded(None).post("/v1/predictions", headers=headers)
    assert answer.status_code == 403
    assert "page" in answer.json()["detail"]


def test_without_keys_our_own_page_and_plain_clients_may_ask() -> None:
    client = guarded(None)
    own = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/v1/predictions", headers=own).status_code == 200
    assert client.post("/v1/predictions").status_code == 200
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_every_answer_has_the_security_headers(tmp_path: Path, key: Callable[..., str]) -> None:
    key(*Scope)
    open_one, locked = guarded(None), guarded(KeyRing(tmp_path / "keys.json"))
    for answer in (open_one.get("/"), locked.get("/v1/models"), locked.get("/health/live")):
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers.get_list(name) == [value]
