import logging
from pathlib import Path

import anyio
import httpx
import pytest
from fastapi import FastAPI

from app.errors import RequestError
from app.factory import create_app
from app.problems import add_handlers, of_error, of_model_error
from models.bundle import BrokenBundle
from models.errors import ModelError
from models.registry import UnknownModel
from tests.app.client import Client, assert_problem, serving_app, tiny_settings


def _all(kind: type[RequestError]) -> list[type[RequestError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in _all(child))]


@pytest.mark.parametrize("kind", _all(RequestError)[1:], ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_a_title_and_a_type_of_its_own(kind: type[RequestError]) -> None:
    problem = of_error(kind(), instance="/here")
    assert 400 <= problem.status < 600
    assert problem.title
    assert not problem.title.endswith(".")
    assert problem.type.removeprefix("urn:sentiscope:problem:").replace("-", "").isalpha()
    assert problem.model_dump(exclude_unset=True).keys() == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
    }


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Load model from /srv/models/a/1/model.onnx failed", "Load model from model.onnx failed"),
        ("bundle tiny/1 is refused: '/a/b c'", "bundle tiny/1 is refused: 'b c'"),
        ("nothing at all / here", "nothing at all / here"),
    ],
)
def test_folders_of_the_host_are_not_told(said: str, told: str) -> None:
    assert of_model_error(BrokenBundle(said)).detail == told


def test_errors_of_models_have_a_status() -> None:
    assert of_model_error(UnknownModel()).status == 404
    assert of_model_error(ModelError()).status == 503


@pytest.mark.parametrize("path", ["/nope", "/v1", "/v1/models/", "/v1/predictions/1", "/static/x"])
def test_unknown_path_is_a_problem(client: Client, path: str) -> None:
    problem = assert_problem(client.get(path), 404)
    assert problem["instance"] == path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/predictions", "OPTIONS, POST"),
        ("POST", "/v1/models", "GET, HEAD, OPTIONS"),
        ("PATCH", "/v1/models/tiny/versions/1", "DELETE, GET, HEAD, OPTIONS"),
        ("GET", "/v1/models/tiny/aliases/a", "OPTIONS, PUT"),
        ("DELETE", "/health/live", "GET, HEAD, OPTIONS"),
    ],
)
def test_method_that_is_not_allowed_is_a_problem_with_those_that_are(
    client: Client, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    problem = assert_problem(response, 405)
    assert response.headers["allow"] == allowed
    assert allowed in problem["detail"]


def test_mistake_of_the_service_is_answered_as_everything_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(tiny_settings(tmp_path))

    @app.get("/wrong")
    async def wrong() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR), serving_app(app) as client:
        response = client.get("/wrong")
        assert_problem(response, 500)
        told = client.get("/metrics").text
    assert response.headers["x-request-id"]
    assert response.headers["x-frame-options"] == "DENY"
    assert caplog.text.count("Traceback") == 1
    assert 'route="/wrong",status="500"} 1.0' in told


def test_mistake_of_the_service_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    add_handlers(app)

    @app.get("/wrong")
    async def wrong() -> None:
        raise ZeroDivisionError("/srv/secret")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            return await http.get("/wrong")

    with caplog.at_level(logging.ERROR):
        response = anyio.run(ask)
    problem = assert_problem(response, 500)
    assert "secret" not in response.text
    assert "ZeroDivisionError" not in response.text
    reference = problem["detail"].split()[-1]
    assert reference in caplog.text
    assert "ZeroDivisionError" in caplog.text
