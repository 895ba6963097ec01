from collections.abc import Callable
from pathlib import Path

import pytest

from models.bundle import BrokenBundle
from models.errors import ModelError
from models.registry import (
    PRODUCTION,
    SHIPPED,
    BadName,
    NotWritable,
    Registry,
    UnknownModel,
    VersionInUse,
)
from tests.tiny_bundle import tiny_writer, write_tiny_bundle

BAD_NAMES = ["", "../etc", "/etc", "a/b", ".hidden", ".", "..", "A", "a b", "a\n", "a\0", "x" * 65]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Two roots: `tiny` 1 and 2 shipped, 2 in production; none made here."""
    for version in ("1", "2"):
        write_tiny_bundle(tmp_path / "shipped" / "tiny" / version, version=version)
    _ship_aliases(tmp_path, '{"production": "2", "steady": "1"}')
    return Registry(tmp_path / "own", tmp_path / "shipped")


def _ship_aliases(folder: Path, content: str) -> None:
    (folder / "shipped" / "tiny" / "aliases.json").write_text(content)


def _publish(registry: Registry, name: str = "tiny") -> str:
    return registry.publish(name, tiny_writer(name)).manifest.version


def test_models_of_both_roots_are_listed_once_and_sorted(registry: Registry) -> None:
    for name in ("zebra", "apple", "tiny"):
        _publish(registry, name)
    assert registry.names() == ("apple", "tiny", "zebra")


def test_roots_that_are_not_there_hold_nothing(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "own", tmp_path / "shipped")
    assert registry.names() == ()
    with pytest.raises(UnknownModel, match="there is no model 'tiny'; known models: none"):
        registry.versions("tiny")
    assert not list(tmp_path.iterdir())


def test_shipped_models_are_those_beside_the_code() -> None:
    assert Registry(Path("nowhere")).shipped == SHIPPED
    assert SHIPPED.parts[-2:] == ("models", "store")


def test_versions_are_numbered_on_from_the_highest_of_both_roots(
    registry: Registry, tmp_path: Path
) -> None:
    assert _publish(registry) == "3"
    write_tiny_bundle(tmp_path / "shipped" / "tiny" / "9", version="9")
    assert [_publish(registry), _publish(registry)] == ["10", "11"]
    assert registry.versions("tiny") == ("1", "2", "3", "9", "10", "11")
    assert _publish(registry, "fresh") == "1"


def test_versions_are_found_in_the_root_they_lie_in(registry: Registry, tmp_path: Path) -> None:
    _publish(registry)
    assert registry.path("tiny", "2") == tmp_path / "shipped" / "tiny" / "2"
    assert registry.path("tiny", "3") == tmp_path / "own" / "tiny" / "3"


def test_a_bare_name_means_production(registry: Registry) -> None:
    assert PRODUCTION == "production"
    assert registry.resolve("tiny") == ("tiny", "2")
    assert registry.resolve("tiny@production") == ("tiny", "2")
    assert registry.open("tiny").label == "tiny@2"


def test_a_version_or_an_alias_may_be_named(registry: Registry) -> None:
    assert registry.resolve("tiny@1") == ("tiny", "1")
    assert registry.resolve("tiny@steady") == ("tiny", "1")
    assert registry.open("tiny@1").label == "tiny@1"


def test_an_alias_set_here_overrides_the_shipped_one_alone(registry: Registry) -> None:
    registry.set_alias("tiny", "production", version=_publish(registry))
    registry.set_alias("tiny", "canary", version="2")
    assert registry.aliases("tiny") == {"production": "3", "steady": "1", "canary": "2"}
    assert registry.resolve("tiny") == ("tiny", "3")
    registry.set_alias("tiny", "production", version="1")
    assert registry.resolve("tiny") == ("tiny", "1")


def test_what_is_shipped_is_never_written(registry: Registry, tmp_path: Path) -> None:
    def content() -> dict[Path, bytes]:
        files = (path for path in (tmp_path / "shipped").rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files}

    before = content()
    registry.set_alias("tiny", "production", version=_publish(registry))
    registry.delete("tiny", _publish(registry))
    assert content() == before


def test_an_unknown_model_names_the_known_ones(registry: Registry) -> None:
    _publish(registry, "other")
    for act in (registry.versions, registry.aliases, registry.resolve, registry.open):
        with pytest.raises(UnknownModel) as caught:
            act("nope")
        assert str(caught.value) == "there is no model 'nope'; known models: other, tiny"


@pytest.mark.parametrize("wanted", ["3", "01", "canary", "", "1@2", "../1", "Production"])
def test_an_unknown_version_or_alias_names_the_known_ones(registry: Registry, wanted: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        registry.resolve(f"tiny@{wanted}")
    assert str(caught.value) == (
        f"model 'tiny' has no version or alias {wanted!r}; "
        "versions: 1, 2; aliases: production, steady"
    )


def test_a_model_without_production_wants_a_version(registry: Registry) -> None:
    _publish(registry, "other")
    with pytest.raises(UnknownModel, match="versions: 1; aliases: none"):
        registry.open("other")
    assert registry.open("other@1").label == "other@1"


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_is_refused_before_anything_is_touched(
    registry: Registry, tmp_path: Path, name: str
) -> None:
    acts: list[Callable[[], object]] = [
        lambda: registry.versions(name),
        lambda: registry.resolve(f"{name}@1"),
        lambda: registry.path(name, "1"),
        lambda: registry.set_alias(name, "canary", version="1"),
        lambda: registry.publish(name, tiny_writer("tiny")),
        lambda: registry.delete(name, "1"),
    ]
    for act in acts:
        with pytest.raises(BadName, match="is not a model name; it must match"):
            act()
    assert [path.name for path in tmp_path.iterdir()] == ["shipped"]


@pytest.mark.parametrize("version", ["3", "..", "../../tiny/1", "01", "", "1/", "aliases.json"])
def test_a_version_that_is_none_has_no_path(registry: Registry, version: str) -> None:
    acts: list[Callable[[], object]] = [
        lambda: registry.path("tiny", version),
        lambda: registry.set_alias("tiny", "canary", version=version),
        lambda: registry.delete("tiny", version),
    ]
    for act in acts:
        with pytest.raises(UnknownModel, match="model 'tiny' has no version"):
            act()


@pytest.mark.parametrize("alias", ["1", "2nd", "", "A", "../x", "a/b", ".a", "a\n", "a@b"])
def test_an_alias_is_a_word_and_never_a_number(registry: Registry, alias: str) -> None:
    with pytest.raises(BadName, match="is not an alias; it must match"):
        registry.set_alias("tiny", alias, version="1")
    assert registry.aliases("tiny") == {"production": "2", "steady": "1"}


def test_an_alias_moves_only_from_where_it_is_expected(registry: Registry) -> None:
    own = _publish(registry)
    assert not registry.move_alias("tiny", "production", version=own, expected="1")
    assert not registry.move_alias("tiny", "production", version=own, expected=None)
    assert registry.resolve("tiny") == ("tiny", "2")
    assert registry.move_alias("tiny", "production", version=own, expected="2")
    assert registry.resolve("tiny") == ("tiny", own)
    assert registry.move_alias("tiny", "staging", version="1", expected=None)
    assert registry.aliases("tiny")["staging"] == "1"


def test_an_alias_does_not_move_to_a_broken_bundle(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "shipped" / "tiny" / "1" / "model.onnx").write_bytes(b"")
    with pytest.raises(BrokenBundle, match=r"model\.onnx has 0 bytes"):
        registry.set_alias("tiny", "production", version="1")
    assert registry.resolve("tiny") == ("tiny", "2")


def test_an_alias_whose_version_is_gone_is_not_listed(registry: Registry, tmp_path: Path) -> None:
    _ship_aliases(tmp_path, '{"production": "2", "old": "7"}')
    assert registry.aliases("tiny") == {"production": "2"}


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"1"'])
def test_aliases_that_cannot_be_read_are_a_known_error(
    registry: Registry, tmp_path: Path, content: str
) -> None:
    _ship_aliases(tmp_path, content)
    with pytest.raises(ModelError, match=r"aliases\.json of model 'tiny' is not") as caught:
        registry.resolve("tiny")
    assert str(tmp_path) not in str(caught.value)


def test_a_deleted_version_is_gone_and_its_number_stays_taken(
    registry: Registry, tmp_path: Path
) -> None:
    version = _publish(registry)
    registry.delete("tiny", version)
    assert registry.versions("tiny") == ("1", "2")
    assert not list((tmp_path / "own" / "tiny").glob("**/*.onnx"))
    with pytest.raises(UnknownModel, match="has no version '3'"):
        registry.delete("tiny", version)
    assert _publish(registry) == "4"


def test_a_version_with_an_alias_is_not_deleted_until_the_alias_moves(registry: Registry) -> None:
    version = _publish(registry)
    for alias in ("production", "canary"):
        registry.set_alias("tiny", alias, version=version)
    with pytest.raises(VersionInUse, match="tiny@3 is in use by alias canary, production"):
        registry.delete("tiny", version)
    assert registry.open("tiny").label == "tiny@3"
    for alias in ("production", "canary"):
        registry.set_alias("tiny", alias, version="1")
    registry.delete("tiny", version)
    assert registry.versions("tiny") == ("1", "2")


def test_a_shipped_version_is_not_deleted(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(VersionInUse, match="in use by alias production"):
        registry.delete("tiny", "2")
    _ship_aliases(tmp_path, "{}")
    with pytest.raises(NotWritable, match="tiny@2 came with the code"):
        registry.delete("tiny", "2")
    assert registry.open("tiny@2").label == "tiny@2"
    assert not (tmp_path / "own").exists()
