"""Names of archives, and where imports may read: nothing a client says leads elsewhere."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.archive_entries import checked_name
from worker.disk import DiskFull, check_room
from worker.import_sources import (
    OutsideImportRoots,
    SourceMissing,
    allowed_source,
    archive_name,
)


@given(st.none() | st.text(max_size=300), st.integers(0, 15))
def test_an_archive_is_kept_under_a_plain_name(given: str | None, place: int) -> None:
    name = archive_name(given, place)
    assert checked_name(name) == name
    assert name.isascii()
    assert name.lower().endswith(".zip")
    assert not name.startswith(".")
    assert (Path("/uploads") / name).parent == Path("/uploads")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("FI 0.zip", "FI_0.zip"),
        ("set.tar.gz", "set.tar.gz.zip"),
        ("A.ZIP", "A.ZIP"),
        (".zip", "zip.zip"),
        ("été", "t.zip"),
        ("", "archive-3.zip"),
        (None, "archive-3.zip"),
    ],
)
def test_what_can_be_kept_of_the_name_is(given: str | None, kept: str) -> None:
    assert archive_name(given, 2) == kept


def test_allowed_is_what_lies_below_a_root_or_is_one(tmp_path: Path) -> None:
    (tmp_path / "a" / "set").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    for root in (tmp_path / "a", tmp_path / "link"):
        for path in ("a", "a/set", "link/set", "a/../a/set"):
            found = allowed_source(f"{tmp_path}/{path}", [root])
            assert found.is_relative_to(tmp_path / "a")


def test_nothing_is_said_of_what_lies_outside(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    said = set()
    for name in ("there", "not-there"):
        if name == "there":
            (tmp_path / name).mkdir()
        with pytest.raises(OutsideImportRoots) as raised:
            allowed_source(str(tmp_path / name), [tmp_path / "root"])
        said.add(str(raised.value).replace(name, ""))
    assert len(said) == 1
    with pytest.raises(SourceMissing):
        allowed_source(str(tmp_path / "root" / "none"), [tmp_path / "root"])


def test_room_is_looked_for_where_the_folder_will_be(tmp_path: Path) -> None:
    check_room(tmp_path / "not" / "yet")
    with pytest.raises(DiskFull, match="no room"):
        check_room(tmp_path / "not" / "yet", 2**60)
