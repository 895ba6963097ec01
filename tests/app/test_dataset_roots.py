"""Imports of folders on the server: those that its operator allows, and no others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.client import PROBLEM, assert_problem
from tests.app.dataset_requests import FILES, from_root, import_config, steady_service, uploads
from tests.app.job_service import JobService, serving_jobs
from tests.worker.redis_server import RedisServer
from worker.import_sources import OutsideImportRoots, with_real_sources


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    with steady_service(tmp_path_factory) as opened:
        yield opened


@pytest.fixture
def rooted(tmp_path: Path, redis_server: RedisServer) -> Iterator[JobService]:
    """A service that may import from `<tmp>/allowed`, where a data set `set` lies."""
    for name, content in FILES.items():
        path = tmp_path / "allowed" / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with serving_jobs(tmp_path, redis_server, import_roots=(tmp_path / "allowed",)) as opened:
        yield opened


def test_a_folder_of_the_server_is_imported_in_place(rooted: JobService, tmp_path: Path) -> None:
    root = str(tmp_path / "allowed" / "set")
    record = from_root(rooted, root, title="A set").json()
    assert record["config"]["sources"] == ["set"]
    config = import_config(rooted, record["id"])
    assert config.title == "A set"
    assert with_real_sources(config, record["id"], rooted.settings).sources == (Path(root),)
    assert uploads(rooted) == []


def test_several_paths_are_one_data_set(rooted: JobService, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "list.txt").write_text("x")
    paths = [str(tmp_path / "allowed" / name) for name in ("set", "list.txt")]
    assert from_root(rooted, paths).json()["config"]["sources"] == ["set", "list.txt"]


OUTSIDE = (
    "{tmp}",
    "{tmp}/datasets",
    "/etc",
    "/",
    "{tmp}/allowed/../datasets",
    "{tmp}/allowed/out",
    "{tmp}/allowed/loop",
    "{tmp}/allowed-not",
    "set",
    "a\0b",
    "",
)


def test_a_root_outside_the_allowed_folders_is_403(rooted: JobService, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "out").symlink_to("/etc")
    (tmp_path / "allowed" / "loop").symlink_to("loop")
    (tmp_path / "allowed-not").mkdir()
    for given in OUTSIDE:
        root = given.format(tmp=tmp_path)
        response = from_root(rooted, root)
        assert response.status_code == 403, given
        assert response.headers["content-type"] == PROBLEM
        shown = response.json()["detail"].replace(repr(root), "")
        assert str(tmp_path) not in shown
        assert "/etc" not in shown


def test_without_allowed_folders_there_is_no_import_from_the_server(
    steady: JobService, tmp_path: Path
) -> None:
    assert from_root(steady, "/data/fi").status_code == 403


def test_a_root_that_is_not_there_is_422(rooted: JobService, tmp_path: Path) -> None:
    assert from_root(rooted, str(tmp_path / "allowed" / "none")).status_code == 422


def test_a_root_that_is_no_path_is_422(steady: JobService) -> None:
    for root in (None, 3, [], [3], {"a": 1}):
        problem = assert_problem(from_root(steady, root), 422)
        assert problem["errors"][0]["loc"] == ["body", "root"]


def test_a_root_that_turned_outward_is_refused_when_the_job_starts(
    rooted: JobService, tmp_path: Path
) -> None:
    root = tmp_path / "allowed" / "set"
    job_id = from_root(rooted, str(root)).json()["id"]
    root.rename(tmp_path / "set")
    root.symlink_to("/etc")
    with pytest.raises(OutsideImportRoots):
        with_real_sources(import_config(rooted, job_id), job_id, rooted.settings)
