"""Metrics of a bundle whose answers can be worked out by hand, on photos of one colour each."""

import math

import pytest
from PIL import Image

from models.bundle import Bundle
from models.labels import LabelKind
from models.manifest import Evaluation
from models.runtime import Session
from tests.tiny_bundle import write_tiny_bundle
from tests.training.data.layouts import text, write_folder
from training.config.datasets import DatasetConfig
from training.data.canonical import Split
from training.data.importers.listing import ImportOptions
from training.data.importing import import_dataset
from training.data.labelled import open_datasets
from training.scoring import score_bundle

SINGLE, MULTI, DISTRIBUTION = LabelKind
COLOURS = ("red", "green", "blue")
# The file's colour, its label, its labels and its shares; the last one is labelled wrongly.
ROWS = (
    ("red", "red", "red", (1, 0, 0)),
    ("green", "green", "green|blue", (0, 1, 0)),
    ("blue", "blue", "blue", (0, 0, 1)),
    ("lime", "red", "", ("", "", "")),
)


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[LabelKind, Evaluation]:
    """What the tiny bundle reaches on ROWS."""
    root = tmp_path_factory.mktemp("scoring")
    lines = ["file_name,split,label,labels,red,green,blue"]
    for colour, label, labels, shares in ROWS:
        lines.append(f"{colour}.png,test,{label},{labels},{','.join(map(str, shares))}")
    source = write_folder(root / "source", {"metadata.csv": text(lines)})
    for colour, *_ in ROWS:
        shown = (0, 255, 0) if colour in ("green", "lime") else colour
        Image.new("RGB", (20 + len(colour), 20), shown).save(source / f"{colour}.png")
    import_dataset(
        format="canonical",
        sources=[source],
        destination=root / "plain",
        name="Plain colours",
        options=ImportOptions(labels=COLOURS),
        progress=lambda step, done, total: None,
    )
    write_tiny_bundle(root / "1")
    datasets = open_datasets([DatasetConfig(name="plain", kinds=tuple(LabelKind))], root)
    session = Session.open(Bundle.open(root / "1"))
    found = score_bundle(session, datasets, Split.TEST, batch_size=3, workers=0)
    return {evaluation.output: evaluation for evaluation in found}


def test_only_samples_with_the_kind_of_label_count(scores: dict[LabelKind, Evaluation]) -> None:
    assert {kind: each.images for kind, each in scores.items()} == {
        SINGLE: 4,
        MULTI: 3,
        DISTRIBUTION: 3,
    }


def test_three_of_four_are_told_right(scores: dict[LabelKind, Evaluation]) -> None:
    assert scores[SINGLE].metrics["top1"] == 0.75


def test_labels_are_selected_at_the_manifests_thresholds(
    scores: dict[LabelKind, Evaluation],
) -> None:
    # sigmoid(1) = 0.73 is above the threshold of 0.6, sigmoid(0) = 0.5 below (but not below 0.5):
    # the photo's own colour is selected, of 4 labels that hold one is missed, none is wrong.
    assert scores[MULTI].metrics["hamming_loss"] == pytest.approx(1 / 9)
    assert scores[MULTI].metrics["micro_f1"] == pytest.approx(6 / 7)


def test_divergence_is_that_of_the_softmax(scores: dict[LabelKind, Evaluation]) -> None:
    # KL((1, 0, 0) || softmax(1, 0, 0)) = -ln(e / (e + 2))
    expected = math.log(1 + 2 / math.e)
    assert scores[DISTRIBUTION].metrics["kl"] == pytest.approx(expected, abs=1e-6)


def test_data_set_is_called_by_its_name(scores: dict[LabelKind, Evaluation]) -> None:
    assert scores[SINGLE].dataset == "Plain colours"
    assert scores[SINGLE].protocol.startswith("Plain colours, test split of the data set with")
    assert scores[SINGLE].protocol.endswith("; images squash to 16 pixels, one view")
