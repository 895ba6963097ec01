"""Imports as runs: a data set below the root, whole or not at all, with results and progress."""

import json
from pathlib import Path

import pytest

from tests.training.data.layouts import text, write_folder
from tests.training.generated import COLOURS, HEADER, picture, row
from training.config.importing import ImportConfig
from training.data.canonical import CanonicalDataset
from training.data.importing import MissingImages
from training.data.staging import DestinationExists
from training.launch import launch
from training.run import RunFolder

LINES = [row(number, "train") for number in range(6)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    files = {line.partition(",")[0]: picture(n % 3, seed=n) for n, line in enumerate(LINES)}
    return write_folder(tmp_path / "source", {"metadata.csv": text([HEADER, *LINES]), **files})


def prepared(folder: Path, source: Path) -> RunFolder:
    run = RunFolder(folder)
    run.prepare(
        ImportConfig.model_validate(
            {
                "name": "colours",
                "format": "canonical",
                "sources": [source],
                "labels": COLOURS,
                "title": "Colours",
                "val_fraction": 0.0,
            }
        )
    )
    return run


def test_an_import_makes_the_data_set_and_says_what_is_in_it(tmp_path: Path, source: Path) -> None:
    run = prepared(tmp_path / "run", source)
    results = launch(run, datasets_root=tmp_path / "datasets")
    dataset = CanonicalDataset.open(tmp_path / "datasets" / "colours")
    assert dataset.name == "Colours"
    assert results["dataset"] == "colours"
    assert results["digest"] == dataset.digest
    assert results["counts"] == {"train": 6, "val": 0, "test": 0}
    assert json.loads(run.results_file.read_text()) == results


def test_an_import_tells_how_many_images_it_copied(tmp_path: Path, source: Path) -> None:
    run = prepared(tmp_path / "run", source)
    launch(run, datasets_root=tmp_path / "datasets")
    events = [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    (told,) = [event for event in events if event["event"] == "progress"]
    assert told["stage"] == "copy images"
    assert (told["step"], told["steps"], told["fraction"]) == (6, 6, 1)


def test_an_import_killed_after_its_data_set_appeared_finds_it_made(
    tmp_path: Path, source: Path
) -> None:
    run = prepared(tmp_path / "run", source)
    results = launch(run, datasets_root=tmp_path / "datasets")
    run.results_file.unlink()  # as if the process had ended just before it was written
    assert launch(run, datasets_root=tmp_path / "datasets") == results
    other = prepared(tmp_path / "other", source)
    with pytest.raises(DestinationExists):
        launch(other, datasets_root=tmp_path / "datasets")


def test_an_import_that_fails_leaves_nothing_and_tells_why(tmp_path: Path, source: Path) -> None:
    (source / LINES[2].partition(",")[0]).unlink()
    run = prepared(tmp_path / "run", source)
    with pytest.raises(MissingImages):
        launch(run, datasets_root=tmp_path / "datasets")
    assert not (tmp_path / "datasets").exists()
    last = json.loads((run.path / "events.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["type"]) == ("failed", "MissingImages")
    assert "train-002.png" in last["message"]
