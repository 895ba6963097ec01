"""Jobs over REST: submitted, listed, shown, and moved from state to state."""

from datetime import datetime
from typing import Any

import pytest

from tests.app.client import assert_problem
from tests.app.job_service import FINETUNE, JobService
from worker.jobs import JobKind, JobRecord, Progress
from worker.status import JobStatus

EXPORT = {"kind": "export", "config": {"name": "mine"}}


def test_a_submitted_job_is_stored_and_answered_with_where_it_is(service: JobService) -> None:
    response = service.submit({**FINETUNE, "name": "first", "labels": {"team": "a"}, "gpus": 2})
    assert response.status_code == 202
    record = response.json()
    assert response.headers["location"] == f"/v1/jobs/{record['id']}"
    assert (record["status"], record["kind"], record["attempts"]) == ("queued", "finetune", 0)
    assert (record["name"], record["labels"], record["gpus"]) == ("first", {"team": "a"}, 2)
    assert record["config"]["epochs"] == 3
    assert record["config"]["batch_size"] == 32
    assert record["datasets"] == ["emotions"]
    assert service.get(record["id"]).json() == record
    assert service.store.get(record["id"]) == JobRecord.model_validate(record)


def test_times_are_rfc_3339_in_utc(service: JobService) -> None:
    record = service.get(service.submitted()).json()
    assert record["created_at"].endswith("Z")
    assert datetime.fromisoformat(record["created_at"]).utcoffset() is not None


def test_a_submitted_job_wakes_a_worker_of_its_queue(service: JobService) -> None:
    service.submitted()
    assert service.redis.client().llen("sentiscope:broker:gpu") == 1


def test_a_running_job_shows_progress_metrics_and_its_worker(service: JobService) -> None:
    job_id = service.submitted()
    lease = service.claimed(job_id)
    progress = Progress(stage="training", epoch=1, epochs=3, fraction=0.25, eta_seconds=9.5)
    service.store.report(lease, events=[], offset=1, progress=progress, metrics={"loss": 0.5})
    record = service.get(job_id).json()
    assert (record["status"], record["worker"], record["attempts"]) == ("running", "test", 1)
    assert record["progress"]["eta_seconds"] == 9.5
    assert record["metrics"] == {"loss": 0.5}


@pytest.mark.parametrize("rest", ["", "/events", "/metrics", "/logs", "/artifacts", "/artifacts/a"])
@pytest.mark.parametrize("job_id", ["0" * 26, "nonsense"])
def test_an_unknown_job_is_not_found(service: JobService, job_id: str, rest: str) -> None:
    problem = assert_problem(service.get(job_id, rest), 404)
    assert f"there is no job {job_id}" in problem["detail"]


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "retry"])
def test_an_unknown_job_cannot_be_moved(service: JobService, action: str) -> None:
    assert_problem(service.act("0" * 26, action), 404)


def test_a_waiting_job_is_cancelled_at_once_and_retried(service: JobService) -> None:
    job_id = service.submitted()
    response = service.act(job_id, "cancel")
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/jobs/{job_id}"
    assert response.json()["status"] == "cancelled"
    assert service.act(job_id, "retry").json()["status"] == "queued"


def test_a_waiting_job_is_paused_and_resumed(service: JobService) -> None:
    job_id = service.submitted()
    assert service.act(job_id, "pause").json()["status"] == "paused"
    assert service.act(job_id, "resume").json()["status"] == "queued"


def test_a_running_job_is_asked_to_pause_and_to_cancel(service: JobService) -> None:
    job_id = service.submitted()
    service.claimed(job_id)
    assert service.act(job_id, "pause").json()["status"] == "pausing"
    assert service.act(job_id, "cancel").json()["status"] == "cancelling"


def test_a_forbidden_move_says_what_is_possible(service: JobService) -> None:
    job_id = service.submitted()
    problem = assert_problem(service.act(job_id, "resume"), 409)
    assert problem["type"] == "urn:sentiscope:problem:job-state-forbids"
    assert "a queued job cannot be resumed; possible: cancelled, paused" in problem["detail"]


def test_a_pipeline_is_a_job_and_its_steps(service: JobService) -> None:
    parent = service.submit({"kind": "pipeline", "config": {"preset": "demo"}}).json()
    assert parent["kind"] == "pipeline"
    listed = service.client.get(f"/v1/jobs?parent_id={parent['id']}").json()["items"]
    steps = {job["step"]: job for job in listed}
    assert [job["step"] for job in reversed(listed)] == [
        "stimuli",
        "organizing",
        "perceiving",
        "amalgamate",
        "evaluate",
        "export",
    ]
    assert steps["export"]["config"]["run"] == steps["amalgamate"]["id"]
    assert set(steps["amalgamate"]["depends_on"]) == {
        steps[step]["id"] for step in ("stimuli", "organizing", "perceiving")
    }
    assert service.redis.client().llen("sentiscope:broker:gpu") == 3
    assert service.act(parent["id"], "cancel").json()["status"] == "cancelled"
    assert service.get(steps["stimuli"]["id"]).json()["status"] == "cancelled"


def test_jobs_are_listed_newest_first_page_by_page(service: JobService) -> None:
    ids = [service.submitted() for _ in range(5)]
    seen: list[str] = []
    path = "/v1/jobs?limit=2"
    cursor: str | None = ""
    while cursor is not None:
        page = service.client.get(path + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ids[::-1]


def test_a_list_is_narrowed_by_status_and_kind(service: JobService) -> None:
    first, second = service.submitted(), service.submitted()
    service.act(first, "cancel")

    def listed(query: str) -> list[str]:
        return [job["id"] for job in service.client.get(f"/v1/jobs?{query}").json()["items"]]

    assert listed("status=queued") == [second]
    assert listed("status=cancelled&kind=finetune") == [first]
    assert listed("kind=export") == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "status=done", "kind=x", "cursor=x", "page=2"]
)
def test_a_wrong_query_is_refused(service: JobService, query: str) -> None:
    assert_problem(service.client.get(f"/v1/jobs?{query}"), 422)


def test_a_listed_job_is_the_shown_one(service: JobService) -> None:
    job_id = service.submitted()
    assert service.client.get("/v1/jobs").json()["items"] == [service.get(job_id).json()]


def test_there_is_no_deletion_of_jobs(service: JobService) -> None:
    job_id = service.submitted()
    assert_problem(service.client.request("DELETE", f"/v1/jobs/{job_id}"), 405)


def test_an_export_of_a_job_that_runs_waits_for_it_and_holds_its_data_sets(
    service: JobService,
) -> None:
    trained = service.submitted()
    waiting = service.submit({"kind": "export", "config": {"run": trained, "name": "mine"}}).json()
    assert waiting["depends_on"] == [trained]
    assert waiting["datasets"] == ["emotions"]
    service.ended(trained, JobStatus.SUCCEEDED)
    at_once = service.submit({"kind": "export", "config": {"run": trained}}).json()
    assert at_once["depends_on"] == []


def test_a_step_of_a_pipeline_waits_for_another_job_that_it_starts_from(
    service: JobService,
) -> None:
    trained = service.submitted()
    start = {"backbone": {"weights": {"source": "run", "run": trained}}}
    document = {"kind": "pipeline", "config": {"preset": "demo", "stimuli": start}}
    parent = service.submit(document).json()["id"]
    steps = {step.step: step for step in service.store.children(parent)}
    assert steps["stimuli"].depends_on == (trained,)
    assert steps["organizing"].depends_on == ()


def test_an_imports_sources_are_shown_without_their_folders(service: JobService) -> None:
    config: dict[str, Any] = {
        "recipe": "import",
        "name": "mine",
        "format": "class_folder",
        "sources": ["/secret/uploads/photos.zip"],
    }
    record = JobRecord.of(_spec(config))
    service.store.create([record])
    for shown in (service.get(record.id), service.client.get("/v1/jobs")):
        assert "secret" not in shown.text
        assert '"sources":["photos.zip"]' in shown.text


def _spec(config: dict[str, Any]) -> Any:
    from worker.jobs import JOB_CONFIG, JobSpec

    return JobSpec(kind=JobKind.IMPORT, config=JOB_CONFIG.validate_python(config))
