"""The registry under several writers and readers at once: processes where it counts."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event
from typing import TypeVar

import pytest

from models.bundle import Bundle
from models.errors import ModelError
from models.registry import Registry
from tests.models.crowd import NAME, copying_writer, crowd
from tests.tiny_bundle import write_tiny_bundle

PROCESSES = 3
TURNS = 5

Seen = TypeVar("Seen")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A bundle to copy."""
    write_tiny_bundle(tmp_path / "source")
    return tmp_path / "source"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "own", tmp_path / "shipped")


@contextmanager
def _watching(look: Callable[[], Seen]) -> Iterator[list[Seen]]:
    """`look` again and again in another thread, at least once; what it found comes in order."""
    done, found = Event(), list[Seen]()

    def watch() -> None:
        while True:
            last = done.wait(0.001)
            seen = look()
            if not found or found[-1] != seen:
                found.append(seen)
            if last:
                return

    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch)
        try:
            yield found
        finally:
            done.set()
        watcher.result()


def _whole_versions(registry: Registry) -> Callable[[], tuple[str, ...]]:
    """A look at the versions that demands of each that it is whole."""

    def look() -> tuple[str, ...]:
        if not registry.names():
            return ()
        return tuple(registry.open(f"{NAME}@{v}").manifest.version for v in registry.versions(NAME))

    return look


@pytest.mark.timeout(300)
def test_processes_that_publish_at_once_get_distinct_numbers_without_a_gap(
    registry: Registry, source: Path
) -> None:
    with _watching(_whole_versions(registry)):
        said = crowd("publish", registry.root, processes=PROCESSES, count=TURNS, bundle=source)
    expected = [str(number) for number in range(1, PROCESSES * TURNS + 1)]
    assert sorted((version for lines in said for version in lines), key=int) == expected
    for lines in said:
        assert lines == sorted(lines, key=int)
    assert list(registry.versions(NAME)) == expected
    assert not list((registry.root / NAME).glob(".staging-*"))


@pytest.mark.timeout(300)
def test_no_alias_is_lost_when_processes_set_theirs_at_once(
    registry: Registry, source: Path
) -> None:
    registry.publish(NAME, copying_writer(source))
    file = registry.root / NAME / "aliases.json"

    def valid_aliases() -> int:
        return len(json.loads(file.read_text())) if file.exists() else 0

    with _watching(valid_aliases) as counts:
        said = crowd("alias", registry.root, processes=PROCESSES, count=TURNS, bundle=source)
    assert registry.aliases(NAME) == {alias: "1" for lines in said for alias in lines}
    assert len(registry.aliases(NAME)) == PROCESSES * TURNS
    assert counts == sorted(counts)
    assert counts[-1] == PROCESSES * TURNS


def test_threads_that_publish_and_point_at_once_lose_nothing(
    registry: Registry, source: Path
) -> None:
    start = Barrier(4)

    def work(me: int) -> list[str]:
        start.wait(30)
        mine = [registry.publish(NAME, copying_writer(source)).manifest.version for _ in range(3)]
        for version in mine:
            registry.set_alias(NAME, f"alias-{me}-{version}", version=version)
        return mine

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(work, range(4)))
    assert sorted(int(v) for mine in made for v in mine) == list(range(1, 13))
    expected = {f"alias-{me}-{v}": v for me, mine in enumerate(made) for v in mine}
    assert registry.aliases(NAME) == expected


def test_a_version_appears_whole_and_at_once(registry: Registry, source: Path) -> None:
    write = copying_writer(source, pause_s=0.002)
    with _watching(_whole_versions(registry)) as found:
        for _ in range(10):
            registry.publish(NAME, write)
    growing = [tuple(map(str, range(1, count + 1))) for count in range(11)]
    assert found == [seen for seen in growing if seen in found]
    assert found[-1] == growing[-1]


def test_production_is_there_at_every_moment_while_it_moves(
    registry: Registry, source: Path
) -> None:
    for _ in range(2):
        registry.publish(NAME, copying_writer(source))
    registry.set_alias(NAME, "production", version="1")
    with _watching(lambda: registry.resolve(NAME)) as found:
        for turn in range(40):
            registry.set_alias(NAME, "production", version="12"[turn % 2])
    assert set(found) <= {(NAME, "1"), (NAME, "2")}


def test_an_alias_and_a_deletion_at_once_never_both_succeed(
    registry: Registry, source: Path
) -> None:
    write = copying_writer(source)
    registry.publish(NAME, write)

    def attempt(act: Callable[[], None], start: Barrier) -> bool:
        start.wait(30)
        try:
            act()
        except ModelError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for _ in range(25):
            version = registry.publish(NAME, write).manifest.version
            start = Barrier(2)
            pointed = pool.submit(attempt, _pointing(registry, version), start)
            deleted = pool.submit(attempt, _deleting(registry, version), start)
            assert pointed.result() is not deleted.result()
            there = version in registry.versions(NAME)
            assert (registry.aliases(NAME).get("canary") == version) is there is pointed.result()
            registry.set_alias(NAME, "canary", version="1")


def _pointing(registry: Registry, version: str) -> Callable[[], None]:
    return lambda: registry.set_alias(NAME, "canary", version=version)


def _deleting(registry: Registry, version: str) -> Callable[[], None]:
    return lambda: registry.delete(NAME, version)


def test_two_deletions_at_once_delete_once(registry: Registry, source: Path) -> None:
    registry.publish(NAME, copying_writer(source))
    start = Barrier(2)

    def delete(_: int) -> bool:
        start.wait(30)
        try:
            registry.delete(NAME, "1")
        except ModelError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(delete, range(2))) == [False, True]
    assert registry.names() == ()


def test_a_reader_holds_a_whole_bundle_or_gets_a_known_error_while_it_is_deleted(
    registry: Registry, source: Path
) -> None:
    write = copying_writer(source)

    def look() -> bool:
        try:
            version = registry.versions(NAME)[-1]
            opened: Bundle = registry.open(f"{NAME}@{version}")
        except ModelError:
            return False
        return opened.label == f"{NAME}@{version}"

    with _watching(look) as found:
        for _ in range(10):
            registry.delete(NAME, registry.publish(NAME, write).manifest.version)
    assert found[-1] is False
