"""A job's files over HTTP: listed, read whole and in parts, and nothing else of the host."""

import os
from pathlib import Path

import httpx
import pytest

from app.errors import ArtifactNotFound
from app.job_files import opened
from tests.app.client import assert_problem
from tests.app.job_service import JobService

BEST = "checkpoints/best.safetensors"
CONTENT = bytes(range(256)) * 3000


@pytest.fixture
def job_id(service: JobService) -> str:
    """A job with a few files."""
    made = service.submitted()
    service.file(made, BEST, CONTENT)
    service.file(made, "log.txt", b"hello\n")
    service.file(made, "empty.bin", b"")
    return made


def read(service: JobService, job_id: str, path: str, **headers: str) -> httpx.Response:
    return service.get(job_id, f"/artifacts/{path}", **headers)


def test_files_are_listed(service: JobService, job_id: str) -> None:
    answer = service.get(job_id, "/artifacts").json()
    found = [(item["path"], item["bytes"], item["media_type"]) for item in answer["items"]]
    assert found == [
        (BEST, len(CONTENT), "application/octet-stream"),
        ("empty.bin", 0, "application/octet-stream"),
        ("log.txt", 6, "text/plain"),
    ]
    assert answer["next_cursor"] is None
    assert answer["items"][0]["modified_at"].endswith("Z")


def test_a_job_that_was_not_started_has_no_files(service: JobService) -> None:
    assert service.get(service.submitted(), "/artifacts").json()["items"] == []


def test_what_is_hidden_half_written_or_a_link_is_not_there(
    service: JobService, job_id: str, tmp_path: Path
) -> None:
    names = [".fence", ".lock", ".git/config", "results.json.partial", "a/.b/c", "a/.hidden"]
    for name in names:
        service.file(job_id, name, b"secret")
    folder = service.settings.jobs_root / job_id
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    (folder / "linked").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "pipe")
    listed = {item["path"] for item in service.get(job_id, "/artifacts").json()["items"]}
    assert listed == {BEST, "log.txt", "empty.bin"}
    for name in [*names, "link.txt", "linked/secret.txt", "pipe", "checkpoints", "checkpoints/"]:
        assert_problem(read(service, job_id, name), 404)


@pytest.mark.parametrize(
    "path",
    [
        "../../../../etc/passwd",
        "%2e%2e/%2e%2e/secret",
        "..%2f..%2fetc%2fpasswd",
        "checkpoints/../log.txt",
        "checkpoints//best.safetensors",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "./log.txt",
        "log.txt/",
        "log.txt/x",
        "a%00b",
        "x" * 5000,
    ],
)
def test_no_path_leads_out(service: JobService, job_id: str, path: str) -> None:
    folder = service.settings.jobs_root
    (folder / "secret").write_text("secret")
    response = read(service, job_id, path)
    if str(response.request.url.path).endswith("/artifacts/log.txt"):
        assert response.text == "hello\n"  # the client itself made the path shorter
    else:
        assert_problem(response, 404)


@pytest.mark.parametrize("path", ["../secret", "..", ".", "", "a/../../secret", "/etc/passwd"])
def test_the_file_system_is_asked_for_nothing_outside(tmp_path: Path, path: str) -> None:
    (tmp_path / "job" / "a").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(ArtifactNotFound):
        opened(tmp_path / "job", path)


def test_a_file_is_sent_whole(service: JobService, job_id: str) -> None:
    response = read(service, job_id, BEST)
    assert (response.status_code, response.content) == (200, CONTENT)
    assert response.headers["content-length"] == str(len(CONTENT))
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["accept-ranges"] == "bytes"
    assert "best.safetensors" in response.headers["content-disposition"]
    assert read(service, job_id, "empty.bin").content == b""


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=5-", 5, len(CONTENT)),
        ("bytes=-7", len(CONTENT) - 7, len(CONTENT)),
        ("bytes=-999999999", 0, len(CONTENT)),
        ("bytes=300000-700000", 300000, 700001),
        ("bytes=10-999999999", 10, len(CONTENT)),
    ],
)
def test_a_part_of_a_file_is_sent(
    service: JobService, job_id: str, asked: str, start: int, end: int
) -> None:
    response = read(service, job_id, BEST, Range=asked)
    assert (response.status_code, response.content) == (206, CONTENT[start:end])
    assert response.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert response.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=768000-", "bytes=999999999-", "bytes=-0"])
def test_a_part_that_is_not_there_is_416(service: JobService, job_id: str, asked: str) -> None:
    response = read(service, job_id, BEST, Range=asked)
    assert_problem(response, 416)
    assert response.headers["content-range"] == f"bytes */{len(CONTENT)}"
    assert_problem(read(service, job_id, "empty.bin", Range="bytes=0-"), 416)


@pytest.mark.parametrize(
    "asked", ["bytes=9-3", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4"]
)
def test_a_range_that_is_not_understood_is_ignored(
    service: JobService, job_id: str, asked: str
) -> None:
    response = read(service, job_id, BEST, Range=asked)
    assert (response.status_code, len(response.content)) == (200, len(CONTENT))


def test_what_the_client_has_is_not_sent_again(service: JobService, job_id: str) -> None:
    etag = read(service, job_id, BEST).headers["etag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        response = read(service, job_id, BEST, **{"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
    assert read(service, job_id, BEST, **{"If-None-Match": '"other"'}).status_code == 200


def test_a_part_of_a_changed_file_is_the_whole(service: JobService, job_id: str) -> None:
    etag = read(service, job_id, BEST).headers["etag"]
    condition = {"Range": "bytes=0-9", "If-Range": etag}
    assert read(service, job_id, BEST, **condition).status_code == 206
    service.file(job_id, BEST, CONTENT[:-1])
    response = read(service, job_id, BEST, **condition)
    assert (response.status_code, response.content) == (200, CONTENT[:-1])
    assert response.headers["etag"] != etag


def test_head_says_how_large_a_file_is(service: JobService, job_id: str) -> None:
    path = f"/v1/jobs/{job_id}/artifacts/{BEST}"
    response = service.client.request("HEAD", path)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(CONTENT))
    response = service.client.request("HEAD", path, headers={"Range": "bytes=0-9"})
    assert (response.status_code, response.headers["content-length"]) == (206, "10")


def test_no_file_stays_open(service: JobService, job_id: str) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    read(service, job_id, BEST)
    before = count()
    for headers in (
        {},
        {"Range": "bytes=999999999-"},
        {"If-None-Match": "*"},
        {"Range": "bytes=1-"},
    ):
        read(service, job_id, BEST, **headers)
        read(service, job_id, "nothing")
    assert count() <= before + 1


def test_the_configuration_is_the_one_that_was_submitted(service: JobService, job_id: str) -> None:
    service.file(job_id, "config.json", b'{"run": "/srv/jobs/0123", "registry": "/srv/models"}')
    answer = read(service, job_id, "config.json")
    assert answer.json() == service.get(job_id).json()["config"]
    listed = {item["path"]: item for item in service.get(job_id, "/artifacts").json()["items"]}
    assert listed["config.json"]["bytes"] == len(answer.content)
    part = read(service, job_id, "config.json", Range="bytes=2-9")
    assert (part.status_code, part.content) == (206, answer.content[2:10])
    again = read(service, job_id, "config.json", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["events.jsonl", "results.json"])
def test_what_a_run_tells_names_no_folder_of_the_host(
    service: JobService, job_id: str, name: str
) -> None:
    folder = service.settings.datasets_root.absolute()
    service.file(job_id, name, f'{{"a": "{folder}/fi/x.jpg", "b": "{folder}"}}\n'.encode())
    answer = read(service, job_id, name)
    assert answer.json() == {"a": "fi/x.jpg", "b": folder.name}
    listed = {item["path"]: item for item in service.get(job_id, "/artifacts").json()["items"]}
    assert listed[name]["bytes"] == len(answer.content)


def test_files_of_other_names_and_in_folders_are_sent_as_they_are(
    service: JobService, job_id: str
) -> None:
    given = f"{service.settings.jobs_root.absolute()}/x".encode()
    for name in ("model/config.json", "notes.txt"):
        service.file(job_id, name, given)
        assert read(service, job_id, name).content == given
