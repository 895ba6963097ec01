"""The same submission twice is one job."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.app.client import assert_problem
from tests.app.job_service import FINETUNE, JobService

KEY = "try-1"


def test_the_same_key_and_body_are_one_job(service: JobService) -> None:
    first, again = service.submit(FINETUNE, key=KEY), service.submit(FINETUNE, key=KEY)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]
    assert service.submit(FINETUNE).json()["id"] != first.json()["id"]


def test_the_order_of_fields_and_spaces_do_not_matter(service: JobService) -> None:
    first = service.submit(FINETUNE, key=KEY).json()
    body = b'{ "config" : {"epochs": 3, "datasets": [{"kinds": ["single"], "name": "emotions"}],'
    body += b'"backbone": {"name": "mobilenet_v2"}}, "kind": "finetune"}'
    again = service.client.request(
        "POST", "/v1/jobs", content=body, headers={"Idempotency-Key": KEY}
    )
    assert again.json()["id"] == first["id"]


def test_the_same_key_with_another_body_is_refused(service: JobService) -> None:
    first = service.submit(FINETUNE, key=KEY).json()
    problem = assert_problem(service.submit({**FINETUNE, "name": "b"}, key=KEY), 422)
    assert problem["type"] == "urn:sentiscope:problem:key-reused"
    assert first["id"] in problem["detail"]


def test_a_repetition_is_answered_though_what_it_needs_is_gone(service: JobService) -> None:
    first = service.submit(FINETUNE, key=KEY).json()
    service.act(first["id"], "cancel")
    (service.settings.datasets_root / "emotions" / "dataset.json").unlink()
    again = service.submit(FINETUNE, key=KEY)
    assert (again.status_code, again.json()["id"]) == (202, first["id"])
    assert again.json()["status"] == "cancelled"


def test_a_refused_submission_does_not_take_the_key(service: JobService) -> None:
    assert_problem(service.submit({**FINETUNE, "gpus": 0}, key=KEY), 422)
    assert service.submit(FINETUNE, key=KEY).status_code == 202


def test_a_pipeline_is_made_once(service: JobService) -> None:
    document = {"kind": "pipeline", "config": {"preset": "demo"}}
    assert service.submit(document, key=KEY).json() == service.submit(document, key=KEY).json()
    assert len(service.store.list().items) == 7


def test_fifty_at_once_are_one_job(service: JobService) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: service.submit(FINETUNE, key=KEY), range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(service.store.list().items) == 1
    assert service.redis.client().llen("sentiscope:broker:gpu") == 1


def test_a_key_outlives_a_restart_of_redis(service: JobService) -> None:
    first = service.submit(FINETUNE, key=KEY).json()
    service.redis.restart()
    assert service.submit(FINETUNE, key=KEY).json()["id"] == first["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\u00e9"])
def test_what_is_no_key_is_refused(service: JobService, key: str) -> None:
    response = service.client.request(
        "POST", "/v1/jobs", json=FINETUNE, headers=[(b"Idempotency-Key", key.encode("latin-1"))]
    )
    problem = assert_problem(response, 422)
    assert problem["errors"][0]["loc"] == ["header", "Idempotency-Key"]
