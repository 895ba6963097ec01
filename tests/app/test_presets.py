"""Shipped configurations over HTTP."""

from typing import Any

import pytest

from app.configuration import NOT_SETTABLE
from app.presets import shipped_presets
from tests.app.job_service import JobService
from training.config.presets import presets
from worker.jobs import JOB_CONFIG

LISTED = tuple(name for name in presets() if not name.startswith("evidence/"))
"""All but those of the evidence, which start from a file that a job may not name."""


def test_all_shipped_configurations_are_listed_whole(service: JobService) -> None:
    found = service.client.get("/v1/presets").json()
    assert found["next_cursor"] is None
    by_name: dict[str, Any] = {item["name"]: item for item in found["items"]}
    assert tuple(by_name) == LISTED
    assert by_name["demo/stimuli"]["kind"] == "pretrain"
    assert by_name["demo/stimuli"]["config"]["compute"]["device"] == "auto"
    pipeline, step = (by_name[name]["config"] for name in ("demo/pipeline", "demo/stimuli"))
    assert pipeline["stimuli"] == step


@pytest.mark.parametrize("name", LISTED)
def test_preset_is_a_configuration_without_what_the_operator_decides(name: str) -> None:
    [preset] = [each for each in shipped_presets() if each.name == name]
    config = JOB_CONFIG.validate_python(preset.config)
    assert config.recipe == preset.kind
    exported = preset.config.get("export", preset.config)
    assert not NOT_SETTABLE.keys() & exported.keys()


def test_whole_preset_can_be_submitted(service: JobService) -> None:
    [pipeline] = [each for each in shipped_presets() if each.name == "demo/pipeline"]
    service.submitted({"kind": "pipeline", "config": pipeline.config})


def test_presets_are_described(service: JobService) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    assert paths["/v1/presets"]["get"]["description"]
