import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.bundle import CARD, MANIFEST, BrokenBundle
from models.registry import Registry
from tests.durability import is_synced_around_rename, noted
from tests.models.crowd import ROOT, copying_writer
from tests.tiny_bundle import tiny_writer, write_tiny_bundle


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "own", tmp_path / "shipped")


def _truncated(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"short")


def _without_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def _with_a_stray(folder: Path) -> None:
    (folder / "optimizer.bin").write_bytes(b"0")


def _without_card(folder: Path) -> None:
    (folder / CARD).unlink()


def _assert_nothing_appeared(registry: Registry) -> None:
    assert registry.names() == ()
    assert {path.name for path in registry.root.rglob("*")} <= {"tiny", ".lock"}


def test_a_published_bundle_is_the_one_that_was_written(registry: Registry) -> None:
    bundle = registry.publish("tiny", tiny_writer("tiny"))
    assert bundle.label == "tiny@1"
    assert bundle.path == registry.root / "tiny" / "1"
    assert registry.open("tiny@1") == bundle


def test_the_writer_is_told_the_version_that_it_makes(registry: Registry) -> None:
    told: list[str] = []

    def write(folder: Path, version: str) -> None:
        assert not list(folder.iterdir())
        told.append(version)
        write_tiny_bundle(folder, version=version)

    for _ in range(3):
        registry.publish("tiny", write)
    assert told == ["1", "2", "3"]


def test_a_version_is_on_the_disk_before_it_appears_and_its_name_after(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = noted(monkeypatch)
    bundle = registry.publish("tiny", tiny_writer("tiny"))
    assert is_synced_around_rename(calls, bundle.path)
    registry.set_alias("tiny", "production", version="1")
    assert calls[-2:] == [
        ("rename", bundle.path.parent / "aliases.json"),
        ("sync", bundle.path.parent),
    ]


def test_what_killed_exports_and_deletions_left_is_deleted_by_the_next_one(
    registry: Registry,
) -> None:
    code = (
        "import os, sys; from pathlib import Path; from models.registry import Registry;"
        "Registry(Path(sys.argv[1])).publish('tiny', lambda folder, version: os._exit(9))"
    )
    assert subprocess.run([sys.executable, "-c", code, registry.root], cwd=ROOT).returncode == 9
    folder = registry.root / "tiny"
    (folder / ".deleted-x" / "1").mkdir(parents=True)

    def write(staging: Path, version: str) -> None:
        if version == "1":
            registry.publish("tiny", tiny_writer("tiny"))  # another one, which leaves this alone
        write_tiny_bundle(staging, version=version)

    assert len(list(folder.glob(".staging-*"))) == 1
    assert registry.publish("tiny", write).label == "tiny@2"
    assert {path.name for path in folder.iterdir()} == {"1", "2", ".lock"}


def test_other_users_can_read_what_is_published(registry: Registry) -> None:
    bundle = registry.publish("tiny", tiny_writer("tiny"))
    assert bundle.path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("error", [RuntimeError, OSError, FileExistsError, KeyboardInterrupt])
def test_a_writer_that_raises_midway_leaves_no_trace(
    registry: Registry, error: type[BaseException]
) -> None:
    calls: list[str] = []

    def write(folder: Path, version: str) -> None:
        calls.append(version)
        write_tiny_bundle(folder, version=version)
        raise error("the disk is on fire")

    with pytest.raises(error, match="the disk is on fire"):
        registry.publish("tiny", write)
    assert calls == ["1"]
    _assert_nothing_appeared(registry)


@pytest.mark.parametrize("damage", [_truncated, _without_manifest, _with_a_stray, _without_card])
def test_a_bundle_that_is_refused_does_not_appear(
    registry: Registry, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    def write(folder: Path, version: str) -> None:
        write_tiny_bundle(folder, version=version)
        damage(folder)

    with pytest.raises(BrokenBundle) as caught:
        registry.publish("tiny", write)
    assert str(tmp_path) not in str(caught.value)
    _assert_nothing_appeared(registry)


@pytest.mark.parametrize(("name", "version"), [("other", "1"), ("tiny", "2")])
def test_a_bundle_that_calls_itself_otherwise_does_not_appear(
    registry: Registry, name: str, version: str
) -> None:
    def write(folder: Path, _: str) -> None:
        write_tiny_bundle(folder, name=name, version=version)

    with pytest.raises(BrokenBundle, match=f"says {name}@{version}, expected tiny@1"):
        registry.publish("tiny", write)
    _assert_nothing_appeared(registry)


def test_nothing_is_seen_while_it_is_being_written(registry: Registry) -> None:
    seen: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def look() -> None:
        names = registry.names()
        seen.append((names, registry.versions("tiny") if names else ()))

    def write(folder: Path, version: str) -> None:
        look()
        write_tiny_bundle(folder, version=version)
        look()

    for _ in range(2):
        registry.publish("tiny", write)
        look()
    nothing, one, two = ((), ()), (("tiny",), ("1",)), (("tiny",), ("1", "2"))
    assert seen == [nothing, nothing, one, one, one, two]


def test_remnants_are_not_listed(registry: Registry) -> None:
    registry.publish("tiny", tiny_writer("tiny"))
    for remnant in (".staging-x", ".deleted-x", "2", "v3", "04", "notes"):
        (registry.root / "tiny" / remnant).mkdir()
    write_tiny_bundle(registry.root / "tiny" / ".staging-whole")
    write_tiny_bundle(registry.root / ".hidden" / "1")
    (registry.root / "empty").mkdir()
    (registry.root / "file").write_text("no model")
    (registry.root / "tiny" / "5").write_text("no version")
    assert registry.names() == ("tiny",)
    assert registry.versions("tiny") == ("1",)


@pytest.mark.parametrize("remnant", ["folder", "file"])
def test_a_number_that_a_remnant_holds_is_passed_over(registry: Registry, remnant: str) -> None:
    place = registry.root / "tiny" / "7"
    place.parent.mkdir(parents=True)
    if remnant == "file":
        place.write_text("no version")
    else:
        place.mkdir()
        (place / "model.onnx").write_bytes(b"half")
    assert registry.publish("tiny", tiny_writer("tiny")).manifest.version == "8"
    assert registry.versions("tiny") == ("8",)


def test_a_remnant_here_does_not_hide_the_shipped_version(registry: Registry) -> None:
    write_tiny_bundle(registry.shipped / "tiny" / "1")
    (registry.root / "tiny" / "1").mkdir(parents=True)
    assert registry.open("tiny@1").path == registry.shipped / "tiny" / "1"


def test_a_number_that_another_took_meanwhile_is_left_to_it(registry: Registry) -> None:
    told: list[str] = []

    def write(folder: Path, version: str) -> None:
        told.append(version)
        if len(told) == 1:
            registry.publish("tiny", tiny_writer("tiny"))
        write_tiny_bundle(folder, version=version)

    assert registry.publish("tiny", write).label == "tiny@2"
    assert told == ["1", "2"]
    assert registry.versions("tiny") == ("1", "2")


def test_the_writer_of_the_crowd_copies_a_whole_bundle(registry: Registry, tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "source")
    for expected in ("tiny@1", "tiny@2"):
        assert registry.publish("tiny", copying_writer(tmp_path / "source")).label == expected
