"""Data sets by name: what is there, what it says of itself, and that deletion is whole."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from models.labels import LabelKind
from training.config.dataset_card import CARD, Split
from training.config.fields import Name
from training.data.staging import staging
from worker.catalogue import BrokenDataset, Catalogue, UnknownDataset, is_name


def write_card(root: Path, name: str, **changes: object) -> Path:
    card = {
        "name": "A title",
        "format": "fi",
        "digest": "0" * 64,
        "label_sets": {"single": {"names": ["glad", "sad"], "polarity": ["positive", "negative"]}},
        "counts": {"train": 2, "val": 1, "test": 1},
    }
    folder = root / name
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "1.jpg").write_bytes(b"1")
    (folder / CARD).write_text(json.dumps(card | changes))
    return folder


def test_there_are_none_before_the_folder_is_there(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "none")
    assert catalogue.names() == ()
    with pytest.raises(UnknownDataset, match="there are none yet"):
        catalogue.card("fi")
    with pytest.raises(UnknownDataset, match="`sentiscope datasets demo` paints it"):
        catalogue.card("demo-scenes")
    catalogue.sweep()


def test_names_are_of_whole_data_sets_alone(tmp_path: Path) -> None:
    for name in ("b", "a", ".staged.123", ".deleted-c-1", "Not a name"):
        write_card(tmp_path, name)
    (tmp_path / "half").mkdir()
    assert Catalogue(tmp_path).names() == ("a", "b")
    assert Catalogue(tmp_path).has("half")
    assert not Catalogue(tmp_path).has("c")


def test_a_card_says_classes_and_counts(tmp_path: Path) -> None:
    write_card(tmp_path, "fi")
    card = Catalogue(tmp_path).card("fi")
    assert (card.name, card.counts[Split.TRAIN]) == ("A title", 2)
    assert card.label_sets[LabelKind.SINGLE].names == ("glad", "sad")


@pytest.mark.parametrize("name", ["fi2", "../a", "", ".", "..", "a/b", "A", "x\0", "a\n"])
def test_an_unknown_name_is_told_the_known_ones(tmp_path: Path, name: str) -> None:
    write_card(tmp_path / "root", "fi")
    write_card(tmp_path, "a")
    catalogue = Catalogue(tmp_path / "root")
    for act in (catalogue.card, catalogue.remove):
        with pytest.raises(UnknownDataset, match="known: fi"):
            act(name)
    assert (tmp_path / "a" / CARD).exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"name": 1}'])
def test_a_damaged_card_is_told_without_the_path(tmp_path: Path, content: bytes) -> None:
    (write_card(tmp_path, "fi") / CARD).write_bytes(content)
    with pytest.raises(BrokenDataset) as raised:
        Catalogue(tmp_path).card("fi")
    assert str(tmp_path) not in str(raised.value)


def test_a_removed_data_set_is_gone_with_its_files(tmp_path: Path) -> None:
    write_card(tmp_path, "fi")
    Catalogue(tmp_path).remove("fi")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_keeps_the_file_that_it_has_open(tmp_path: Path) -> None:
    folder = write_card(tmp_path, "fi")
    with (folder / "images" / "1.jpg").open("rb") as file:
        Catalogue(tmp_path).remove("fi")
        assert file.read() == b"1"


def test_removing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    real = write_card(tmp_path / "elsewhere", "fi")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "fi").symlink_to(real)
    Catalogue(tmp_path / "root").remove("fi")
    assert (real / CARD).exists()
    assert list((tmp_path / "root").iterdir()) == []


def test_a_deletion_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    write_card(tmp_path, ".deleted-fi-0a1b2c3d")
    write_card(tmp_path, "emotion6")
    Catalogue(tmp_path).sweep()
    assert [path.name for path in tmp_path.iterdir()] == ["emotion6"]


def test_what_a_killed_import_left_goes_once_it_is_old(tmp_path: Path) -> None:
    for name in (".fi.0a_b9xyz", ".emotion6.abcdefgh", ".hidden", "fi"):
        write_card(tmp_path, name)
    for name in (".fi.0a_b9xyz", ".hidden", "fi"):
        os.utime(tmp_path / name, (0, 0))
    Catalogue(tmp_path).sweep()
    assert {path.name for path in tmp_path.iterdir()} == {".emotion6.abcdefgh", ".hidden", "fi"}


def test_a_data_set_in_the_making_is_called_as_the_sweep_expects(tmp_path: Path) -> None:
    with staging(tmp_path / "fi-2.v1") as folder:
        os.utime(folder, (0, 0))
        Catalogue(tmp_path).sweep()
        assert not folder.exists()
        folder.mkdir()


@given(st.text(max_size=70) | st.from_regex(r"[a-z0-9_.\-/\n]{0,66}", fullmatch=True))
def test_a_name_is_what_configurations_take_and_stays_in_its_folder(name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        assert not is_name(name)
    else:
        assert is_name(name)
        assert (Path("/root") / name).parent == Path("/root")
        assert not name.startswith(".")
