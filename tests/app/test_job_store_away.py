"""Without Redis, and with one that forgets: jobs say so, predictions go on."""

import signal
import time
from pathlib import Path

import pytest

from tests.app.client import Client, assert_problem, publish_tiny, serving, tiny_settings
from tests.app.job_service import FINETUNE, JobService, job_settings, serving_jobs
from tests.app.pictures import encoded, solid
from tests.processes import until
from tests.worker.redis_server import RedisServer
from worker.jobs import new_id

PATHS = ("", "/{id}", "/{id}/events", "/{id}/metrics", "/{id}/logs", "/{id}/artifacts")


def test_without_redis_job_routes_say_when_to_ask_again_and_predictions_go_on(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.kill()
    with serving_jobs(tmp_path, redis_server) as service:
        for path in PATHS:
            response = service.client.get(f"/v1/jobs{path.format(id=new_id())}")
            problem = assert_problem(response, 503)
            assert problem["type"] == "urn:sentiscope:problem:job-store-away"
            assert response.headers["retry-after"] == "2"
        assert_problem(service.submit(FINETUNE), 503)
        assert_problem(service.act(new_id(), "cancel"), 503)
        assert service.client.send_bytes(encoded(solid())).status_code == 200
        problem = assert_problem(service.client.get("/health/ready"), 503)
        assert "Redis, which does not serve" in problem["detail"]
        redis_server.start()
        assert service.submit(FINETUNE).status_code == 202
        assert service.client.get("/health/ready").status_code == 200


def test_a_restarted_redis_is_found_again_with_all_jobs(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with serving_jobs(tmp_path, redis_server) as service:
        job_id = service.submitted()
        before = service.get(job_id).json()
        redis_server.restart()
        assert service.get(job_id).json() == before
        assert service.act(job_id, "pause").status_code == 202


def test_a_redis_that_cannot_write_its_files_is_away_for_those_who_change_something(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    (tmp_path / "disk").mkdir()
    with serving_jobs(tmp_path, redis_server) as service, redis_server.client() as redis:
        job_id = service.submitted()
        redis.config_set("save", "3600 1")
        redis.config_set("dir", str(tmp_path / "disk"))
        (tmp_path / "disk").rmdir()
        redis.bgsave()
        until(lambda: redis.info()["rdb_last_bgsave_status"] == "err" or None, timeout_s=20)
        for response in (service.submit(FINETUNE), service.act(job_id, "cancel")):
            problem = assert_problem(response, 503)
            assert problem["type"] == "urn:sentiscope:problem:job-store-away"
            assert response.headers["retry-after"] == "2"
        assert service.get(job_id).status_code == 200


def test_metrics_are_told_in_time_while_redis_hangs(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with serving_jobs(tmp_path, redis_server) as service:
        assert "sentiscope_jobs{" in service.client.get("/metrics").text
        redis_server.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        told = service.client.get("/metrics").text
        assert time.monotonic() - began < 10
        redis_server.process.send_signal(signal.SIGCONT)
    assert "sentiscope_queue_images 0.0" in told
    assert "sentiscope_jobs{" not in told


def test_both_missing_parts_are_named(tmp_path: Path, redis_server: RedisServer) -> None:
    settings = job_settings(tmp_path, redis_server, redis_url="unix:///nowhere/redis.sock")
    with serving(tiny_settings(tmp_path), settings) as client:
        problem = assert_problem(client.get("/health/ready"), 503)
        assert "'tiny' is missing" in problem["detail"]
        assert "Redis, which does not serve" in problem["detail"]


def test_a_redis_that_persists_gives_no_warning(service: JobService) -> None:
    assert service.client.get("/health/ready").json()["warnings"] == []


@pytest.mark.parametrize(
    ("snapshots", "said"), [("", "in memory alone"), ("60 1", "snapshots alone")]
)
def test_a_redis_that_forgets_is_warned_of(service: JobService, snapshots: str, said: str) -> None:
    redis = service.redis.client()
    redis.config_set("appendonly", "no")
    redis.config_set("save", snapshots)
    try:
        [warning] = service.client.get("/health/ready").json()["warnings"]
        assert said in warning
    finally:
        redis.config_set("save", "")
        redis.config_set("appendonly", "yes")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("appendfsync", "everysec", "a power cut takes what came last"),
        ("maxmemory-policy", "allkeys-lru", "deletes jobs when its memory is full"),
    ],
)
def test_a_redis_that_may_lose_some_jobs_is_warned_of(
    service: JobService, name: str, value: str, said: str
) -> None:
    redis = service.redis.client()
    before = redis.config_get(name)[name] or ""
    redis.config_set(name, value)
    try:
        [warning] = service.client.get("/health/ready").json()["warnings"]
        assert said in warning
    finally:
        redis.config_set(name, before)


def test_a_redis_that_does_not_tell_its_settings_is_no_trouble(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with redis_server.client() as redis:
        redis.acl_setuser("app", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@all"])
        redis.execute_command("ACL", "SETUSER", "app", "-config", "&*")
    url = redis_server.url.replace("unix://", "unix://app:pw@")
    publish_tiny(tmp_path)
    settings = job_settings(tmp_path, redis_server, redis_url=url)
    with serving(tiny_settings(tmp_path), settings) as client:
        assert client.get("/health/ready").json()["warnings"] == []


def test_without_a_redis_there_are_no_job_routes(client: Client) -> None:
    assert_problem(client.get("/v1/jobs"), 404)
    assert "/v1/jobs" not in client.get("/openapi.json").json()["paths"]
