"""Uploaded archives become jobs: once for a key, one for a name, and no longer kept than wanted."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.app.client import assert_problem, occupied
from tests.app.dataset_requests import (
    FIELDS,
    FILES,
    URL,
    fresh_service,
    import_config,
    upload,
    uploads,
)
from tests.app.job_service import JobService
from tests.worker.packing import (
    TAR_MODES,
    tarred,
    zipped,
)
from worker.import_sources import SourceMissing, with_real_sources
from worker.queue import Dispatch
from worker.status import JobStatus
from worker.supervisor import supervise
from worker.sweep import sweep
from worker.uploads import sweep_uploads


@pytest.fixture
def service(tmp_path: Path) -> Iterator[JobService]:
    with fresh_service(tmp_path) as opened:
        yield opened


def test_an_upload_becomes_a_job_whose_record_shows_no_path(
    service: JobService, archive: Path, tmp_path: Path
) -> None:
    fields = FIELDS | {
        "title": "My pictures",
        "terms": "mine",
        "labels": "sad, glad",
        "val_fraction": "0.2",
        "seed": "3",
        "skip_unreadable": "true",
    }
    response = upload(service, archive, fields=fields)
    assert response.status_code == 202
    record = response.json()
    assert response.headers["location"] == f"/v1/jobs/{record['id']}"
    assert (record["kind"], record["status"], record["name"]) == ("import", "queued", "mine")
    assert record["config"] == {
        "recipe": "import",
        "name": "mine",
        "format": "class_folder",
        "sources": ["pictures.zip"],
        "title": "My pictures",
        "terms": "mine",
        "labels": ["sad", "glad"],
        "test_fold": 0,
        "val_fraction": 0.2,
        "seed": 3,
        "skip_unreadable": True,
        "min_images": 15,
    }
    for text in (
        response.text,
        service.get(record["id"]).text,
        service.client.get("/v1/jobs").text,
    ):
        assert str(tmp_path) not in text
    stored = service.settings.uploads_root / record["id"] / "pictures.zip"
    assert stored.read_bytes() == archive.read_bytes()
    real = with_real_sources(import_config(service, record["id"]), record["id"], service.settings)
    assert real.sources == (stored,)


@pytest.mark.parametrize("name", TAR_MODES)
def test_a_tar_is_repacked_as_a_zip(service: JobService, tmp_path: Path, name: str) -> None:
    record = upload(service, tarred(tmp_path / name, FILES)).json()
    assert record["config"]["sources"] == [f"{name}.zip"]
    (stored,) = (service.settings.uploads_root / record["id"]).iterdir()
    assert stored.name == f"{name}.zip"


def test_several_archives_are_one_data_set(service: JobService, tmp_path: Path) -> None:
    names = list(FILES)
    parts = [
        zipped(tmp_path / f"part-{n}.zip", {name: FILES[name] for name in names[n::2]})
        for n in range(2)
    ]
    record = upload(service, *parts).json()
    assert record["config"]["sources"] == ["part-0.zip", "part-1.zip"]


@pytest.mark.timeout(300)  # a process that imports PyTorch, on a machine that may be busy
def test_the_job_makes_the_data_set_and_its_upload_goes(service: JobService, archive: Path) -> None:
    job_id = upload(service, archive).json()["id"]
    assert service.client.get(f"{URL}/mine").json() == {"name": "mine", "importing": job_id}
    lease = service.claimed(job_id)
    supervise(
        lease,
        service.store.get(job_id),
        store=service.store,
        settings=service.settings,
        stop=threading.Event(),
    )
    record = service.get(job_id).json()
    assert record["status"] == "succeeded", record["error"]
    found = service.client.get(f"{URL}/mine").json()
    assert found["counts"] == {"train": 4, "val": 4, "test": 4}
    assert found["label_sets"]["single"]["names"] == ["glad", "sad"]
    assert found["importing"] is None
    assert sweep_uploads(service.store, service.settings) == (job_id,)
    assert uploads(service) == []


def test_jobs_and_uploads_do_not_wait_for_the_threads_of_predictions(
    service: JobService, archive: Path
) -> None:
    with occupied(service.client) as work:
        job_id = service.submitted()
        assert service.get(job_id, "/events").status_code == 200
        assert upload(service, archive).status_code == 202
        assert not work.done()


def test_an_upload_stays_where_its_job_was_made_and_no_answer_came(
    service: JobService, archive: Path
) -> None:
    with service.redis.client() as redis:
        redis.execute_command("ACL", "SETUSER", "default", "-hgetall")  # what follows the creation
        assert_problem(upload(service, archive), 500)
        assert uploads(service) == list(service.store.active())


def test_a_name_that_is_taken_is_409(service: JobService, archive: Path) -> None:
    problem = assert_problem(upload(service, archive, fields={**FIELDS, "name": "emotions"}), 409)
    assert "DELETE /v1/datasets/emotions" in problem["detail"]
    assert uploads(service) == []


def test_a_name_that_is_being_imported_is_409_and_free_again_after_a_failure(
    service: JobService, archive: Path
) -> None:
    job_id = upload(service, archive).json()["id"]
    assert job_id in assert_problem(upload(service, archive), 409)["detail"]
    assert uploads(service) == [job_id]
    service.act(job_id, "cancel")
    assert upload(service, archive).status_code == 202


def test_of_many_imports_of_one_name_at_once_one_is_made(
    service: JobService, archive: Path
) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: upload(service, archive), range(10)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 9
    assert len(service.client.get("/v1/jobs").json()["items"]) == 1
    assert len(uploads(service)) == 1


def test_one_key_makes_one_job_under_many_posts_at_once(service: JobService, archive: Path) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: upload(service, archive, key="k"), range(20)))
    assert {answer.status_code for answer in answers} == {202}
    (job_id,) = {answer.json()["id"] for answer in answers}
    assert uploads(service) == [job_id]


def test_a_key_with_another_archive_is_refused(
    service: JobService, archive: Path, tmp_path: Path
) -> None:
    first = upload(service, archive, key="k").json()["id"]
    (tmp_path / "other").mkdir()
    other = zipped(tmp_path / "other" / "pictures.zip", {"train/a/1.jpg": b"1"})
    assert_problem(upload(service, other, key="k"), 422)
    assert uploads(service) == [first]


def _ended(service: JobService, job_id: str, status: JobStatus, ago: timedelta) -> None:
    service.ended(job_id, status, finished_at=datetime.now(UTC) - ago)


@pytest.mark.parametrize(
    ("status", "hours", "kept"),
    [
        (JobStatus.SUCCEEDED, 0, False),
        (JobStatus.FAILED, 23, True),
        (JobStatus.FAILED, 25, False),
        (JobStatus.QUEUED, 0, True),
    ],
)
def test_an_upload_is_kept_as_long_as_it_may_be_wanted(
    service: JobService, archive: Path, status: JobStatus, hours: int, kept: bool
) -> None:
    job_id = upload(service, archive).json()["id"]
    if status is not JobStatus.QUEUED:
        _ended(service, job_id, status, timedelta(hours=hours))
    sweep(service.store, Dispatch.open(service.settings), service.settings)
    assert uploads(service) == ([job_id] if kept else [])
    if not kept:
        with pytest.raises(SourceMissing, match="send it again"):
            with_real_sources(import_config(service, job_id), job_id, service.settings)


def test_what_a_broken_request_left_goes_after_a_day(service: JobService) -> None:
    left = service.settings.uploads_root / ("0" * 26)
    stranger = left.with_name("somebody-elses")
    left.mkdir(parents=True)
    stranger.mkdir()
    (left / "a.zip").write_bytes(b"half")
    assert sweep_uploads(service.store, service.settings) == ()
    for path in (left / "a.zip", left, stranger):
        os.utime(path, (0, 0))
    assert sweep_uploads(service.store, service.settings) == (left.name,)
