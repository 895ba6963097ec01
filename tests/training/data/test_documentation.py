"""`docs/datasets.md` says what is so."""

import re
from pathlib import Path

import pytest

from models.labels import LabelKind
from sentiscope.reference.program import commands
from tests.training.data.layouts import write_folder
from training.config.importing import ImportFormat
from training.data.canonical import CanonicalDataset, Split
from training.data.importers.listing import ImportOptions
from training.data.importers.table import IMPORTERS

PAGE_FILE = Path(__file__).parents[3] / "docs" / "datasets.md"
PAGE = PAGE_FILE.read_text(encoding="utf-8")


def block(language: str) -> bytes:
    found = re.search(rf"```{language}\b[^\n]*\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found is not None
    return found.group(1).encode()


def test_the_example_opens(tmp_path: Path) -> None:
    files = {"metadata.csv": block("csv"), "dataset.json": block("json")}
    images = {f"images/{n}.jpg": b"" for n in (1, 2, 3)}
    made = CanonicalDataset.open(write_folder(tmp_path, files | images))
    assert [s.split for s in made.samples] == [*Split]
    assert [s.multi for s in made.samples] == [(0, 1), (), None]
    assert set(made.label_sets) == set(LabelKind)
    assert [len(s.captions) for s in made.samples] == [1, 0, 2]


@pytest.mark.parametrize("name", [*IMPORTERS, *ImportOptions.model_fields])
def test_every_format_and_option_is_named(name: str) -> None:
    assert f"| `{name}` |" in PAGE


def test_every_format_of_the_configuration_has_its_importer() -> None:
    assert list(IMPORTERS) == list(ImportFormat)


def test_every_format_is_named_by_the_command_line() -> None:
    (command,) = [each for each in commands() if each.path == "sentiscope datasets import"]
    (said,) = [each.help for each in command.arguments if each.name == "format"]
    assert set(re.findall(r"\w+", said)) - {"or"} == set(IMPORTERS)


def test_the_python_example_compiles() -> None:
    compile(block("python"), "docs/datasets.md", "exec")
