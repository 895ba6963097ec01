"""Data sets that are sent to a service, by the client and by commands; the test is worker."""

import asyncio
import json
import os
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from models.labels import LabelKind
from sentiscope.client import (
    AsyncClient,
    Client,
    Conflict,
    Dataset,
    Invalid,
    NotFound,
    NotImported,
    StillRunning,
    UnusableSource,
)
from tests.app.dataset_requests import FILES
from tests.app.job_service import write_card
from tests.processes import until
from tests.sentiscope.command_line import refusal, sentiscope
from tests.sentiscope.office import Office
from tests.sentiscope.replying import replying
from tests.training.data.layouts import as_folder, as_zips
from worker.jobs import Failure
from worker.status import JobStatus

Upload = Callable[..., str]
Wait = Callable[..., Dataset]
JOB = {"id": "01", "kind": "import", "status": "queued", "created_at": "2026-01-01T00:00Z"}


def blocking(url: str, source: Any, **options: Any) -> str:
    with Client(url) as client:
        return client.datasets.upload(source, **options).id


def concurrent(url: str, source: Any, **options: Any) -> str:
    async def send() -> str:
        async with AsyncClient(url) as client:
            return (await client.datasets.upload(source, **options)).id

    return asyncio.run(send())


def waited(url: str, name: str, **options: Any) -> Dataset:
    with Client(url) as client:
        return client.datasets.wait(name, **options)


def awaited(url: str, name: str, **options: Any) -> Dataset:
    async def wait() -> Dataset:
        async with AsyncClient(url) as client:
            return await client.datasets.wait(name, **options)

    return asyncio.run(wait())


BOTH = pytest.mark.parametrize("upload", [blocking, concurrent])
WAITS = pytest.mark.parametrize("wait", [waited, awaited])


def kept(office: Office, job_id: str) -> Mapping[str, set[str]]:
    """The archives that came, each with the names of its files."""
    found = {}
    for path in (office.settings.uploads_root / job_id).iterdir():
        with zipfile.ZipFile(path) as archive:
            found[path.name] = set(archive.namelist())
    return found


def config(client: Client, job_id: str) -> Mapping[str, Any]:
    return client.jobs.get(job_id).config


def importing(client: Client, name: str) -> str | None:
    """The job that imports it right now."""
    return next((each.importing for each in client.datasets.list() if each.name == name), None)


def import_it(office: Office, job_id: str, name: str) -> None:
    """What a worker does with it, as far as a service sees."""
    lease = office.claim(job_id)
    write_card(office.settings.datasets_root / name, (LabelKind.SINGLE,))
    office.end(lease, JobStatus.SUCCEEDED)


@BOTH
def test_folder_is_packed_and_sent_whole(
    upload: Upload, office: Office, client: Client, tmp_path: Path
) -> None:
    (folder,) = as_folder(tmp_path, FILES)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.jpg").write_bytes(b"no picture")
    (folder / "train" / ".DS_Store").write_bytes(b"nothing")
    name = f"folder-{upload.__name__}"
    job_id = upload(office.server.url, folder, name=name, format="class_folder")
    assert kept(office, job_id) == {f"{folder.name}.zip": set(FILES)}
    assert config(client, job_id)["name"] == name


@BOTH
def test_archives_are_sent_as_they_are_and_told_of(
    upload: Upload, office: Office, tmp_path: Path
) -> None:
    archives = as_zips(tmp_path, FILES)
    told: list[tuple[int, int]] = []
    name, total = f"zips-{upload.__name__}", sum(path.stat().st_size for path in archives)
    job_id = upload(
        office.server.url,
        archives,
        name=name,
        format="class_folder",
        progress=lambda done, of: told.append((done, of)),
    )
    assert set(kept(office, job_id)) == {path.name for path in archives}
    for path in archives:
        sent = office.settings.uploads_root / job_id / path.name
        assert sent.read_bytes() == path.read_bytes()
    assert told == sorted(told)
    assert told[-1] == (total, total)


def test_options_are_those_of_the_import(office: Office, client: Client, tmp_path: Path) -> None:
    job_id = blocking(
        office.server.url,
        as_folder(tmp_path, FILES)[0],
        name="options",
        format="class_folder",
        title="Mine",
        terms=None,
        labels=["sad", "glad, or so"],
        val_fraction=0.25,
        skip_unreadable=True,
        seed=7,
    )
    found = config(client, job_id)
    assert found["labels"] == ["sad", "glad, or so"]
    assert (found["title"], found["terms"]) == ("Mine", None)
    assert (found["val_fraction"], found["skip_unreadable"], found["seed"]) == (0.25, True, 7)


def test_linked_pictures_are_sent_and_a_circle_of_links_ends(
    office: Office, tmp_path: Path
) -> None:
    (folder,) = as_folder(tmp_path, FILES)
    (tmp_path / "linked").mkdir()
    for name in ("train", "val", "test"):
        (tmp_path / "linked" / name).symlink_to(folder / name)
    (folder / "train" / "circle").symlink_to(tmp_path / "linked")
    job_id = blocking(office.server.url, tmp_path / "linked", name="linked", format="class_folder")
    assert kept(office, job_id) == {"linked.zip": set(FILES)}


@WAITS
def test_data_set_is_waited_for_until_it_is_there(
    wait: Wait, office: Office, tmp_path: Path
) -> None:
    url, name = office.server.url, f"waited-{wait.__name__}"
    job_id = blocking(url, as_folder(tmp_path, FILES)[0], name=name, format="class_folder")
    with pytest.raises(StillRunning, match=f"job {job_id} is queued"):
        wait(url, name, timeout_s=0.1, every_s=0.05)
    threading.Timer(0.3, import_it, (office, job_id, name)).start()
    found = wait(url, name, timeout_s=60, every_s=0.1)
    assert (found.name, found.importing, found.counts["train"]) == (name, None, 1)
    assert wait(url, name) == found


@WAITS
def test_wait_for_an_import_that_fails_says_why(wait: Wait, office: Office, tmp_path: Path) -> None:
    url, name = office.server.url, f"failed-{wait.__name__}"
    job_id = blocking(url, as_folder(tmp_path, FILES)[0], name=name, format="class_folder")
    failure = Failure(type="BadLayout", message="no picture in it")

    def fail() -> None:
        office.end(office.claim(job_id), JobStatus.FAILED, error=failure)

    threading.Timer(0.3, fail).start()
    with pytest.raises(NotImported, match=rf"{job_id} failed: no picture in it"):
        wait(url, name, timeout_s=60, every_s=0.1)
    with pytest.raises(NotFound):
        wait(url, name)


def test_data_set_is_deleted_unless_a_job_reads_it(office: Office, client: Client) -> None:
    write_card(office.settings.datasets_root / "unwanted", (LabelKind.SINGLE,))
    reading = {
        "backbone": {"name": "mobilenet_v2"},
        "datasets": [{"name": "unwanted", "kinds": ["single"]}],
    }
    job = client.jobs.submit("finetune", reading)
    with pytest.raises(Conflict, match=job.id):
        client.datasets.delete("unwanted")
    job.cancel()
    client.datasets.delete("unwanted")

    async def delete_again() -> None:
        async with AsyncClient(office.server.url) as others:
            await others.datasets.delete("unwanted")

    with pytest.raises(NotFound, match="unwanted"):
        asyncio.run(delete_again())


@BOTH
def test_what_the_service_refuses_is_a_typed_error(
    upload: Upload, office: Office, tmp_path: Path
) -> None:
    (folder,) = as_folder(tmp_path, FILES)
    with pytest.raises(Conflict, match="there is a data set 'emotions'"):
        upload(office.server.url, folder, name="emotions", format="class_folder")
    with pytest.raises(Invalid) as raised:
        upload(office.server.url, folder, name="Not A Name", format="paintings")
    assert {fault.place for fault in raised.value.errors} == {"name", "format"}
    (tmp_path / "no.zip").write_bytes(b"no archive")
    with pytest.raises(Invalid, match="cannot be read as a zip or tar file"):
        upload(office.server.url, tmp_path / "no.zip", name="none", format="class_folder")


@BOTH
def test_large_upload_that_is_refused_early_has_the_service_s_reason(
    upload: Upload, office: Office, tmp_path: Path
) -> None:
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate(64 * 2**20)
    with pytest.raises(Conflict, match="there is a data set 'emotions'"):
        upload(office.server.url, large, name="emotions", format="class_folder")


@pytest.mark.parametrize("given", [[], "none", ["folder", "folder"], "empty", "odd"])
def test_what_cannot_be_sent_is_told_before_a_service_is_asked(
    tmp_path: Path, given: str | list[str]
) -> None:
    (tmp_path / "empty").mkdir()
    as_folder(tmp_path, FILES)[0].rename(tmp_path / "folder")
    (tmp_path / "odd").mkdir()
    (Path(os.fsdecode(os.fsencode(tmp_path / "odd") + b"/\xff.jpg"))).write_bytes(b"")
    source: Any = (
        tmp_path / given if isinstance(given, str) else [tmp_path / name for name in given]
    )
    with pytest.raises(UnusableSource, match=r"given .*expected|has no files|cannot be sent: "):
        blocking("http://127.0.0.1:9", source, name="mine", format="class_folder")


@BOTH
def test_archive_is_sent_again_from_its_beginning_when_the_service_was_away(
    upload: Upload, tmp_path: Path
) -> None:
    (archive, *_) = as_zips(tmp_path, FILES)
    with replying(Response(status_code=503), JSONResponse(JOB, 202)) as service:
        assert upload(service.url, archive, name="mine", format="class_folder") == "01"
    first, second = service.seen
    assert archive.read_bytes() in first.body
    assert archive.read_bytes() in second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_commands_send_show_list_and_delete(office: Office, tmp_path: Path) -> None:
    (folder,) = as_folder(tmp_path, FILES)
    at = ("--url", office.server.url)
    sent = sentiscope(
        *("datasets", "upload", "class_folder", folder, "--name", "moods", *at),
        *("--labels", "sad,glad", "--title", "Moods"),
    )
    assert (sent.exit_code, sent.stderr) == (0, "")
    job_id = sent.stdout.strip()
    assert f"moods: job {job_id} imports it\n" in sentiscope("datasets", "list", *at).stdout
    assert json.loads(sentiscope("datasets", "show", "moods", *at).stdout) == {
        "name": "moods",
        "importing": job_id,
    }
    assert "moods" in refusal("datasets", "delete", "moods", *at)
    import_it(office, job_id, "moods")
    listed = sentiscope("datasets", "list", *at).stdout
    assert "moods: single (2); train 1, val 1, test 1\n" in listed
    deleted = sentiscope("datasets", "delete", "moods", *at)
    assert (deleted.exit_code, deleted.stdout) == (0, "")
    assert "no data set 'moods'" in refusal("datasets", "show", "moods", *at)


def test_upload_is_seen_through_when_asked(office: Office, tmp_path: Path) -> None:
    def fail_it() -> None:
        with Client(office.server.url) as client:
            job_id = until(lambda: importing(client, "seen"), timeout_s=60)
        failure = Failure(type="BadLayout", message="no class has pictures")
        office.end(office.claim(job_id), JobStatus.FAILED, error=failure)

    worker = threading.Thread(target=fail_it)
    worker.start()
    command = ("datasets", "upload", "class_folder", as_folder(tmp_path, FILES)[0], "--watch")
    result = sentiscope(*command, "--name", "seen", "--url", office.server.url)
    worker.join()
    assert result.exit_code == 1
    assert result.stderr.endswith("error: seen failed: no class has pictures\n")


def test_folder_of_this_machine_is_listed_though_a_service_is_named(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTISCOPE_URL", office.server.url)
    assert "emotions: single (2)" in sentiscope("datasets", "list").stdout
    result = sentiscope("datasets", "list", "--root", tmp_path)
    assert (result.stdout, str(tmp_path) in result.stderr) == ("", True)
