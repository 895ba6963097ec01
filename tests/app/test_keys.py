import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.keys import (
    KeyExists,
    KeyRing,
    KeysUnreadable,
    Scope,
    UnknownKey,
    create_key,
    read_keys,
    revoke_key,
)

PREDICT = frozenset({Scope.PREDICT})


def test_created_key_is_found_by_its_text_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    text = create_key(file, "ci", PREDICT)
    other = create_key(file, "laptop", frozenset(Scope))
    ring = KeyRing(file)
    found = ring.find(text)
    assert found is not None
    assert (found.name, found.scopes) == ("ci", PREDICT)
    assert ring.find(other) != found
    assert ring.find(text[:-1]) is None
    assert ring.find("") is None


@given(st.text())
def test_no_other_text_opens(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    create_key(file, "ci", PREDICT)
    assert KeyRing(file).find(text) is None


def test_file_holds_no_key_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    text = create_key(file, "ci", PREDICT)
    assert text not in file.read_text()
    assert text.removeprefix("sentiscope_") not in file.read_text()
    assert os.stat(file).st_mode & 0o777 == 0o600


def test_revoked_key_ends_in_a_running_service(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    text, kept = create_key(file, "ci", PREDICT), create_key(file, "kept", PREDICT)
    ring = KeyRing(file)
    assert ring.find(text)
    revoke_key(file, "ci")
    assert ring.find(text) is None
    assert ring.find(kept)


@pytest.mark.parametrize("content", [None, "", "{", '{"keys": [{"name": "x"}]}', "[]"])
def test_file_that_is_lost_or_damaged_opens_nothing(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys.json"
    text = create_key(file, "ci", PREDICT)
    ring = KeyRing(file)
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    assert ring.find(text) is None
    with pytest.raises(KeysUnreadable, match="keys"):
        KeyRing(file)


def test_names_are_distinct_and_known(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    create_key(file, "ci", PREDICT)
    with pytest.raises(KeyExists, match="'ci'"):
        create_key(file, "ci", PREDICT)
    with pytest.raises(UnknownKey, match="known: ci"):
        revoke_key(file, "cd")


def test_keys_made_at_once_are_all_kept(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    makers = [
        threading.Thread(target=create_key, args=(file, f"key{i}", PREDICT)) for i in range(16)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert {key.name for key in read_keys(file)} == {f"key{i}" for i in range(16)}
    assert len({key["sha256"] for key in json.loads(file.read_text())["keys"]}) == 16
