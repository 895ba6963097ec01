import os
import stat
from pathlib import Path

import pytest

from models.files import replace_text, sync


def test_text_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    replace_text(file, "first")
    replace_text(file, "zweite Fassung: ü")
    assert file.read_text(encoding="utf-8") == "zweite Fassung: ü"
    assert list(tmp_path.iterdir()) == [file]


def test_old_text_stays_where_the_new_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    replace_text(file, "first")
    (tmp_path / "state.json.partial").mkdir()
    with pytest.raises(OSError, match="partial"):
        replace_text(file, "second")
    assert file.read_text() == "first"


@pytest.mark.parametrize(
    ("mode", "umask", "expected"), [(0o600, 0o022, 0o600), (0o666, 0o027, 0o640)]
)
def test_mode_is_the_given_one_within_the_umask(
    tmp_path: Path, mode: int, umask: int, expected: int
) -> None:
    file, before = tmp_path / "keys.json", os.umask(umask)
    try:
        replace_text(file, "{}", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == expected


def test_files_and_folders_are_synced_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    sync(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "none")


def test_a_text_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    replace_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        replace_text(path, "half of it \ud800")
    assert path.read_text() == "old"
