"""Uploads that are refused: each with its reason, and nothing of them stays."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.client import assert_problem
from tests.app.dataset_requests import FIELDS, FORM, URL, steady_service, upload, uploads
from tests.app.job_service import JobService, serving_jobs
from tests.worker.packing import (
    raw_zip,
    special,
    tar_of,
    zip_link,
    zipped,
)
from tests.worker.redis_server import RedisServer
from training.config.importing import ImportFormat
from worker.settings import GIB


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    with steady_service(tmp_path_factory) as opened:
        yield opened


BAD_FIELDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no name": ({"format": "fi"}, ["name"]),
    "no format": ({"name": "mine"}, ["format"]),
    "a bad name": ({**FIELDS, "name": "../up"}, ["name"]),
    "an unknown format": ({**FIELDS, "format": "zip"}, ["format"]),
    "several": ({"name": "", "format": "fi", "seed": "x", "val_fraction": "1"}, ["name", "seed"]),
    "an unknown option": ({**FIELDS, "colour": "red"}, ["colour"]),
    "sources": ({**FIELDS, "sources": "/etc"}, ["sources"]),
    "a recipe": ({**FIELDS, "recipe": "import"}, ["recipe"]),
    "a name twice": ({**FIELDS, "name": ["a", "b"]}, ["name"]),
}


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_wrong_fields_are_all_named(steady: JobService, archive: Path, case: str) -> None:
    fields, wrong = BAD_FIELDS[case]
    problem = assert_problem(upload(steady, archive, fields=fields), 422)
    named = [error["loc"][-1] for error in problem["errors"]]
    assert set(wrong) <= set(named)
    assert all(error["loc"][0] == "body" for error in problem["errors"])
    assert uploads(steady) == []


def test_an_unknown_format_is_told_the_known_ones(steady: JobService, archive: Path) -> None:
    problem = assert_problem(upload(steady, archive, fields={**FIELDS, "format": "zip"}), 422)
    assert all(name in problem["detail"] for name in ImportFormat)


BAD_ARCHIVES: dict[str, Callable[[Path], Path]] = {
    "traversal": lambda path: zipped(path, {"../up.jpg": b"x"}),
    "absolute": lambda path: zipped(path, {"/etc/passwd": b"x"}),
    "link": lambda path: zip_link(path, "odd.jpg"),
    "tar link": lambda path: tar_of(path, [special("odd.jpg", tarfile.SYMTYPE, "/etc/passwd")]),
    "100,000 files": lambda path: raw_zip(path, [f"{n}.jpg" for n in range(100_000)]),
    "100 GB": lambda path: raw_zip(path, [f"{n}.jpg" for n in range(500)], size=200 * 2**20),
    "no archive": lambda path: _file(path, b"no archive at all"),
    "nothing": lambda path: _file(path, b""),
}


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", BAD_ARCHIVES)
def test_a_bad_archive_is_refused_and_leaves_nothing(
    steady: JobService, tmp_path: Path, case: str
) -> None:
    problem = assert_problem(upload(steady, BAD_ARCHIVES[case](tmp_path / "a.zip")), 422)
    assert problem["type"] == "urn:sentiscope:problem:archive-refused"
    assert uploads(steady) == []
    assert steady.client.get("/v1/jobs").json()["items"] == []


NAMES = ("../../evil.zip", "/etc/cron.d/evil", "..", "", "a\0b.zip", "x" * 300, "é è.zip")


def test_the_name_of_an_archive_leads_nowhere(service: JobService, archive: Path) -> None:
    for place, name in enumerate(NAMES):
        form = _form({**FIELDS, "name": f"n{place}"}, name, archive.read_bytes())
        headers = {"Content-Type": FORM}
        response = service.client.request("POST", URL, content=form, headers=headers)
        assert response.status_code == 202, response.text
        (stored,) = (service.settings.uploads_root / response.json()["id"]).iterdir()
        assert stored.suffix == ".zip"
        assert stored.stat().st_size == archive.stat().st_size
    assert len(uploads(service)) == len(NAMES)


def _form(fields: dict[str, str], filename: str, content: bytes) -> bytes:
    """A form as a hostile client may write it."""
    head = "--x\r\nContent-Disposition: form-data; name="
    small = "".join(f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    last = f'{head}"archive"; filename="{filename}"\r\n\r\n'
    return (small + last).encode() + content + b"\r\n--x--\r\n"


def test_a_form_without_an_archive_is_refused(steady: JobService) -> None:
    response = steady.client.request("POST", URL, files={"name": (None, "mine")}, data=FIELDS)
    assert_problem(response, 422)
    response = steady.client.request(
        "POST", URL, files={"format": (None, "fi"), "name": (None, "mine")}
    )
    assert "no archive" in assert_problem(response, 422)["detail"]


def test_two_archives_of_one_name_are_refused(steady: JobService, archive: Path) -> None:
    assert_problem(upload(steady, archive, archive), 400)
    assert uploads(steady) == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", FORM, 400),
        (b"nonsense", FORM, 400),
        (
            b"--x\r\nContent-Disposition: form-data; name=name\r\n\r\nmine",
            FORM,
            400,
        ),
        (b"--x--", "multipart/form-data", 400),
        (b"PK", "application/zip", 415),
        (b"PK", "", 415),
        (b"[1]", "application/json", 422),
        (b"{", "application/json", 400),
    ],
)
def test_a_body_that_is_none_is_refused(
    steady: JobService, body: bytes, content_type: str, status: int
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert_problem(steady.client.request("POST", URL, content=body, headers=headers), status)
    assert uploads(steady) == []


def test_an_archive_cut_off_on_its_way_leaves_nothing(steady: JobService, archive: Path) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="archive"; filename="a.zip"\r\n\r\n'
    response = steady.client.request(
        "POST",
        URL,
        content=head + archive.read_bytes(),
        headers={"Content-Type": FORM},
    )
    assert_problem(response, 400)
    assert uploads(steady) == []


def test_too_large_an_upload_is_413(
    tmp_path: Path, redis_server: RedisServer, archive: Path
) -> None:
    most = archive.stat().st_size - 1
    with serving_jobs(tmp_path, redis_server, max_archive_bytes=most) as service:
        assert_problem(upload(service, archive), 413)
        declared = {
            "Content-Length": str(10 * GIB),
            "Content-Type": FORM,
        }
        response = service.client.request("POST", URL, content=b"", headers=declared)
        assert "limit" in assert_problem(response, 413)["detail"]
        assert uploads(service) == []


def test_an_upload_that_the_disk_has_no_room_for_is_refused_before_it_is_read(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with serving_jobs(tmp_path, redis_server, max_archive_bytes=2**60) as service:
        headers = {"Content-Length": str(2**55), "Content-Type": FORM}
        response = service.client.request("POST", URL, content=b"", headers=headers)
        assert "no room" in assert_problem(response, 507)["detail"]
        assert uploads(service) == []


def test_too_many_fields_are_413(steady: JobService, archive: Path) -> None:
    assert_problem(upload(steady, archive, fields={**FIELDS, "terms": "x" * 70_000}), 413)
    many = {**FIELDS, "labels": [str(n) for n in range(100)]}
    assert_problem(upload(steady, archive, fields=many), 413)
