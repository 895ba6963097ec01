"""Data sets over REST: listed, shown, deleted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.dataset_schemas import DATASET, DatasetRecord
from models.labels import LabelKind
from tests.app.client import Client, assert_problem
from tests.app.dataset_requests import (
    URL,
    fresh_service,
    steady_service,
    upload,
    uploads,
)
from tests.app.job_service import DATASETS, JobService, write_card


@pytest.fixture
def service(tmp_path: Path) -> Iterator[JobService]:
    with fresh_service(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    with steady_service(tmp_path_factory) as opened:
        yield opened


def test_data_sets_are_listed_by_name_in_pages(steady: JobService) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = steady.client.get(f"{URL}?limit=3{cursor}").json()
        assert len(page["items"]) <= 3
        found += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == sorted(DATASETS)


def test_a_data_set_shows_kinds_classes_polarity_and_counts(
    service: JobService, tmp_path: Path
) -> None:
    write_card(tmp_path / "datasets" / "shown", (LabelKind.SINGLE, LabelKind.MULTI))
    found = service.client.get(f"{URL}/shown").json()
    labels = {"names": ["joy", "fear"], "polarity": None}
    assert found == {
        "name": "shown",
        "title": "shown",
        "format": "class_folder",
        "digest": "0" * 64,
        "label_sets": {"single": labels, "multi": labels},
        "counts": {"train": 1, "val": 1, "test": 1},
        "terms": None,
        "findings": [],
        "importing": None,
    }
    (listed,) = [
        item for item in service.client.get(URL).json()["items"] if item["name"] == "shown"
    ]
    assert listed == {name: value for name, value in found.items() if name != "findings"}


def test_a_damaged_data_set_does_not_hide_the_others(service: JobService, tmp_path: Path) -> None:
    (tmp_path / "datasets" / "emotions" / "dataset.json").write_text("{")
    items = service.client.get(URL).json()["items"]
    assert [item["name"] for item in items] == sorted(DATASETS)
    (damaged,) = [item for item in items if "fault" in item]
    assert damaged["name"] == "emotions"
    assert str(tmp_path) not in json.dumps(items)
    assert_problem(service.client.get(f"{URL}/emotions"), 503)


@pytest.mark.parametrize("name", ["nope", "..", "A", "a%20b", "%2e%2e", "x" * 100])
def test_an_unknown_data_set_is_not_found(steady: JobService, name: str) -> None:
    for method in ("GET", "DELETE"):
        assert_problem(steady.client.request(method, f"{URL}/{name}"), 404)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "other=1"])
def test_a_wrong_page_is_refused(steady: JobService, query: str) -> None:
    assert_problem(steady.client.get(f"{URL}?{query}"), 422)


def test_a_data_set_is_deleted(service: JobService, tmp_path: Path) -> None:
    response = service.client.request("DELETE", f"{URL}/demo-pairs")
    assert (response.status_code, response.content) == (204, b"")
    assert not (tmp_path / "datasets" / "demo-pairs").exists()
    assert_problem(service.client.request("DELETE", f"{URL}/demo-pairs"), 404)


def test_a_data_set_in_use_is_409_and_names_the_jobs_until_they_end(service: JobService) -> None:
    job_id = service.submitted()
    problem = assert_problem(service.client.request("DELETE", f"{URL}/emotions"), 409)
    assert job_id in problem["detail"]
    assert service.client.get(f"{URL}/emotions").status_code == 200
    service.act(job_id, "cancel")
    assert service.client.request("DELETE", f"{URL}/emotions").status_code == 204


def test_the_paths_are_there_only_with_jobs(client: Client) -> None:
    assert_problem(client.get(URL), 404)


def test_without_redis_data_sets_are_503(service: JobService, archive: Path) -> None:
    service.redis.kill()
    for response in (service.client.get(URL), upload(service, archive)):
        problem = assert_problem(response, 503)
        assert "Redis" in problem["detail"]
        assert response.headers["retry-after"]
    assert uploads(service) == []
    service.redis.start()


def test_the_example_is_an_answer() -> None:
    assert (
        DatasetRecord.model_validate(DATASET).model_dump(mode="json", exclude={"fault"}) == DATASET
    )
