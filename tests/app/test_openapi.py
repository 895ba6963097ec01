from pathlib import Path
from typing import Any

import pytest

from app.factory import create_app
from app.keys import Scope, create_key
from app.openapi import PREDICTIONS
from app.schemas import Predictions
from tests.app.client import Client, tiny_settings
from worker.settings import JobSettings

PATHS = {
    "/v1/predictions": {"post"},
    "/v1/models": {"get"},
    "/v1/models/{name}": {"get"},
    "/v1/models/{name}/versions/{version}": {"get", "delete"},
    "/v1/models/{name}/versions/{version}/card": {"get"},
    "/v1/models/{name}/aliases/{alias}": {"put"},
    "/v2": {"get"},
    "/v2/health/live": {"get"},
    "/v2/health/ready": {"get"},
    "/v2/models/{name}": {"get"},
    "/v2/models/{name}/ready": {"get"},
    "/v2/models/{name}/infer": {"post"},
    "/v2/models/{name}/versions/{version}": {"get"},
    "/v2/models/{name}/versions/{version}/ready": {"get"},
    "/v2/models/{name}/versions/{version}/infer": {"post"},
    "/health/live": {"get"},
    "/health/ready": {"get"},
    "/metrics": {"get"},
}


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_every_path_of_the_contract_is_described(schema: dict[str, Any]) -> None:
    assert {path: set(found) for path, found in schema["paths"].items()} == PATHS


def test_every_operation_says_what_it_does(schema: dict[str, Any]) -> None:
    operations = [one for path in schema["paths"].values() for one in path.values()]
    assert all(operation["description"] for operation in operations)


def test_problems_are_described_as_problems(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        of_inference_protocol = path.split("/")[1] == "v2"
        media_type = "application/json" if of_inference_protocol else "application/problem+json"
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == [media_type]


def test_all_forms_of_a_request_are_described(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/v1/predictions"]["post"]
    assert operation["requestBody"]["content"].keys() == {
        "multipart/form-data",
        "image/*",
        "application/octet-stream",
        "application/json",
    }
    assert {each["name"] for each in operation["parameters"]} == {
        "model",
        "outputs",
        "top_k",
        "coverage",
        "explain",
        "explain_output",
        "explain_label",
    }


def test_with_keys_each_operation_says_which_scope_it_needs(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path)
    create_key(settings.keys_file, "test", frozenset(Scope))
    described = create_app(settings, JobSettings(redis_url="unix:///nowhere")).openapi()
    needed = {
        (method, path): operation["security"]
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }
    for place, scope in {
        ("post", "/v1/predictions"): "predict",
        ("post", "/v1/jobs"): "jobs",
        ("delete", "/v1/datasets/{name}"): "admin",
    }.items():
        assert needed[place] == [{"bearer": [scope]}, {"header": [scope]}]
    assert needed["get", "/health/live"] == []
    assert described["components"]["securitySchemes"].keys() == {"bearer", "header"}


def test_without_keys_none_is_asked_for(schema: dict[str, Any]) -> None:
    assert "securitySchemes" not in schema["components"]


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, list):
            return [found for each in node for found in references(each)]
        if not isinstance(node, dict):
            return []
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [found for each in node.values() for found in references(each)]

    for reference in references(schema):
        target: Any = schema
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_example_is_an_answer() -> None:
    assert Predictions.model_validate(PREDICTIONS).model_dump(exclude_unset=True) == PREDICTIONS
