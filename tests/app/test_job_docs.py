"""The description of jobs says what there is, and its examples hold."""

from pathlib import Path
from typing import Any

import pytest

from app import job_examples
from app.job_schemas import ArtifactList, EventList, JobRequest, MetricList
from app.submission import spec_of
from tests.app.job_service import JobService
from worker.jobs import JobRecord
from worker.status import JobStatus

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
PATHS = {
    "/v1/jobs": {"get", "post"},
    "/v1/jobs/{job_id}": {"get"},
    "/v1/jobs/{job_id}/cancel": {"post"},
    "/v1/jobs/{job_id}/pause": {"post"},
    "/v1/jobs/{job_id}/resume": {"post"},
    "/v1/jobs/{job_id}/retry": {"post"},
    "/v1/jobs/{job_id}/events": {"get"},
    "/v1/jobs/{job_id}/metrics": {"get"},
    "/v1/jobs/{job_id}/logs": {"get"},
    "/v1/jobs/{job_id}/artifacts": {"get"},
    "/v1/jobs/{job_id}/artifacts/{path}": {"get"},
}


@pytest.fixture
def paths(service: JobService) -> dict[str, Any]:
    found: dict[str, Any] = service.client.get("/openapi.json").json()["paths"]
    return {path: found[path] for path in found if path.startswith("/v1/jobs")}


def test_every_path_is_described(paths: dict[str, Any]) -> None:
    assert {path: set(operations) for path, operations in paths.items()} == PATHS


def test_every_operation_says_what_it_does_and_how_it_fails(paths: dict[str, Any]) -> None:
    for operations in paths.values():
        for operation in operations.values():
            assert operation["description"]
            assert "503" in operation["responses"]
            for parameter in operation.get("parameters", []):
                if parameter["name"] not in ("job_id", "path"):
                    assert parameter["description"], parameter


@pytest.mark.parametrize("status", JobStatus)
def test_every_status_is_documented(status: JobStatus) -> None:
    assert f"\n| `{status}` |" in TEXT


@pytest.mark.parametrize("field", [*JobRecord.model_fields, *JobRequest.model_fields])
def test_every_field_is_documented(field: str) -> None:
    assert f'"{field}":' in TEXT or f"`{field}`" in TEXT


@pytest.mark.parametrize("title", job_examples.REQUESTS)
def test_an_example_is_a_job(title: str) -> None:
    assert spec_of(job_examples.REQUESTS[title]).kind


def test_examples_of_answers_are_answers() -> None:
    JobRecord.model_validate(job_examples.RECORD)
    EventList.model_validate(job_examples.EVENTS)
    MetricList.model_validate(job_examples.METRICS)
    ArtifactList.model_validate(job_examples.ARTIFACTS)


def test_a_stored_record_has_the_fields_of_the_example(service: JobService) -> None:
    assert service.get(service.submitted()).json().keys() == job_examples.RECORD.keys()
