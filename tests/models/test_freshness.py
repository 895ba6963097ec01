import os
import time
from pathlib import Path

import pytest

from models.freshness import Stamp
from models.registry import BadName, Registry
from tests.tiny_bundle import tiny_writer

LONG_AGO_NS = 1_000_000_000_000_000_000


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Version 1 in production, all of it old."""
    opened = Registry(tmp_path / "models", tmp_path / "shipped")
    opened.publish("tiny", tiny_writer("tiny"))
    opened.set_alias("tiny", "production", version="1")
    _age(tmp_path / "models" / "tiny")
    return opened


def _age(folder: Path) -> None:
    for path in (folder, folder / "aliases.json"):
        os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))


def test_nothing_changed_is_the_same_stamp_and_settled(registry: Registry) -> None:
    assert registry.stamp("tiny") == registry.stamp("tiny")
    assert registry.stamp("tiny").settled


def test_moved_alias_new_version_and_deleted_version_change_the_stamp(registry: Registry) -> None:
    seen = [registry.stamp("tiny")]
    registry.publish("tiny", tiny_writer("tiny"))
    seen.append(registry.stamp("tiny"))
    registry.set_alias("tiny", "production", version="2")
    seen.append(registry.stamp("tiny"))
    registry.delete("tiny", "1")
    seen.append(registry.stamp("tiny"))
    assert len({stamp.entries for stamp in seen}) == len(seen)


def test_aliases_that_are_written_in_place_change_the_stamp(registry: Registry) -> None:
    before = registry.stamp("tiny")
    (registry.root / "tiny" / "aliases.json").write_text('{"canary": "1"}')
    assert registry.stamp("tiny") != before


def test_shipped_folder_counts_too(registry: Registry) -> None:
    before = registry.stamp("tiny")
    (registry.shipped / "tiny").mkdir(parents=True)
    assert registry.stamp("tiny") != before


def test_what_changed_a_moment_ago_is_not_settled(registry: Registry) -> None:
    registry.set_alias("tiny", "canary", version="1")
    assert not registry.stamp("tiny").settled


def test_time_that_is_yet_to_come_is_not_settled(tmp_path: Path) -> None:
    ahead = time.time_ns() + LONG_AGO_NS
    os.utime(tmp_path, ns=(ahead, ahead))
    assert not Stamp.of([tmp_path]).settled


def test_missing_paths_have_a_stamp(tmp_path: Path) -> None:
    assert Stamp.of([tmp_path / "none"]) == Stamp.of([tmp_path / "none"])


@pytest.mark.parametrize("name", ["../tiny", "", "TINY", "a/b"])
def test_what_is_no_name_is_refused_before_any_path_is_made_of_it(
    registry: Registry, name: str
) -> None:
    with pytest.raises(BadName):
        registry.stamp(name)
