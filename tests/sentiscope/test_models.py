"""`sentiscope models`: what is in the registry."""

import json
import shutil
from pathlib import Path

import pytest

from models.registry import Registry
from tests.sentiscope.command_line import refusal, sentiscope
from tests.sentiscope.conftest import Workshop
from tests.tiny_bundle import tiny_writer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A registry with two versions of `tiny`, the first in production."""
    registry = Registry(tmp_path / "models")
    for _ in range(2):
        registry.publish("tiny", tiny_writer("tiny"))
    registry.set_alias("tiny", "production", version="1")
    return registry.root


def test_list_names_versions_and_aliases(root: Path) -> None:
    lines = sentiscope("models", "list", "--root", root).stdout.splitlines()
    assert "tiny: versions 1, 2; production = 1" in lines


def test_model_without_alias_is_listed_as_such(tmp_path: Path) -> None:
    Registry(tmp_path).publish("bare", tiny_writer("bare"))
    lines = sentiscope("models", "list", "--root", tmp_path).stdout.splitlines()
    assert "bare: versions 1; no alias" in lines


def test_exported_model_is_listed_in_production(workshop: Workshop) -> None:
    lines = sentiscope("models", "list", "--root", workshop.models).stdout.splitlines()
    assert "colours: versions 1; production = 1" in lines


def test_show_prints_the_card(workshop: Workshop) -> None:
    result = sentiscope("models", "show", "colours", "--root", workshop.models)
    card = (workshop.models / "colours" / "1" / "README.md").read_text(encoding="utf-8")
    assert (result.exit_code, result.stdout) == (0, f"{card}\n")


def test_manifest_is_printed_as_json(workshop: Workshop) -> None:
    result = sentiscope("models", "manifest", "colours@1", "--root", workshop.models)
    file = workshop.models / "colours" / "1" / "manifest.json"
    assert json.loads(result.stdout) == json.loads(file.read_text(encoding="utf-8"))


def test_promote_moves_production(root: Path) -> None:
    result = sentiscope("models", "promote", "tiny", "2", "--root", root)
    assert (result.exit_code, result.stdout) == (0, "tiny@production is version 2\n")
    assert Registry(root).aliases("tiny") == {"production": "2"}


def test_root_is_the_service_s_where_none_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTISCOPE_MODELS_ROOT", str(root))
    assert sentiscope("models", "promote", "tiny", "2").exit_code == 0
    assert Registry(root).aliases("tiny") == {"production": "2"}


def test_promote_moves_the_alias_that_is_named(root: Path) -> None:
    sentiscope("models", "promote", "tiny", "2", "--alias", "candidate", "--root", root)
    assert Registry(root).aliases("tiny") == {"candidate": "2", "production": "1"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "none"),
        ("manifest", "tiny@9"),
        ("promote", "tiny", "9"),
        ("promote", "tiny", "2", "--alias", "Not an alias"),
    ],
)
def test_what_is_not_there_is_one_line_and_changes_nothing(
    root: Path, arguments: tuple[str, ...]
) -> None:
    assert "\n" not in refusal("models", *arguments, "--root", root)
    assert Registry(root).aliases("tiny") == {"production": "1"}


@pytest.mark.parametrize("command", ["show", "manifest", "promote"])
def test_changed_bundle_is_refused(root: Path, command: str) -> None:
    (root / "tiny" / "2" / "README.md").write_text("Better!", encoding="utf-8")
    names = ("tiny", "2") if command == "promote" else ("tiny@2",)
    reason = refusal("models", command, *names, "--root", root)
    assert reason.startswith("bundle tiny/2 is refused: README.md was changed")


def test_empty_registry_is_no_error(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    result = sentiscope("models", "list", "--root", tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
