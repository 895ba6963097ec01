import asyncio
from pathlib import Path

import onnxruntime as ort
import pytest

from app import tracing
from app.errors import InferenceLost, NotReady
from app.inference.threads import ThreadHands
from app.links import NoLinks
from app.loaded_model import LoadedModel
from app.metrics import Metrics
from app.state import Device, open_service
from models.registry import Registry
from tests.app.client import Client, assert_problem, publish_tiny, serving, tiny_settings


def test_process_is_alive_without_a_model(tmp_path: Path) -> None:
    with serving(tiny_settings(tmp_path)) as client:
        assert client.get("/health/live").json() == {"status": "alive"}


def test_service_with_its_model_is_ready(client: Client, registry: Registry) -> None:
    found = client.get("/health/ready").json()
    assert found["status"] == "ready"
    assert found["model"]["digest"] == f"sha256:{registry.open('tiny').digest}"


def test_missing_model_is_named_until_it_is_there(tmp_path: Path) -> None:
    with serving(tiny_settings(tmp_path, model="default")) as client:
        problem = assert_problem(client.get("/health/ready"), 503)
        assert "'default' is missing" in problem["detail"]
        publish_tiny(tmp_path, "default")
        assert client.get("/health/ready").status_code == 200


def test_service_whose_processes_end_while_its_model_loads_is_not_ready(tmp_path: Path) -> None:
    def lose(path: Path) -> LoadedModel:
        raise InferenceLost

    publish_tiny(tmp_path)
    device = Device(ThreadHands(1), lose)
    service = open_service(
        tiny_settings(tmp_path), device, Metrics(), NoLinks(), tracing.tracer(None)
    )
    with pytest.raises(NotReady, match="The process that worked"):
        asyncio.run(service.ready())
    service.queue.close()


def test_damaged_model_is_named(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    (tmp_path / "models" / "tiny" / "1" / "README.md").unlink()
    with serving(tiny_settings(tmp_path)) as client:
        problem = assert_problem(client.get("/health/ready"), 503)
        assert "README.md is missing" in problem["detail"]


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="ONNX Runtime has CUDA"
)
def test_provider_that_is_not_there_is_named(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    with serving(tiny_settings(tmp_path, provider="cuda")) as client:
        problem = assert_problem(client.get("/health/ready"), 503)
        assert "cannot use cuda" in problem["detail"]
