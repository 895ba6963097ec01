"""A cell's score is what the recipe `evaluate` says of the same run."""

from pathlib import Path

import numpy as np
import pytest

from models.labels import LabelKind, LabelSet
from tests.training.generated import NAME
from training.compute import Compute
from training.config.datasets import DatasetConfig
from training.config.optimization import ComputeConfig
from training.config.publishing import EvaluateConfig
from training.evaluation import Predictions
from training.evidence.predictions import BadPredictions, ImagePredictions
from training.evidence.scoring import Judged, network_logits, score
from training.launch import launch
from training.run import RunFolder
from training.trained import TrainedRun

COMPUTE = ComputeConfig(device="cpu", loader_workers=0)
ABC = LabelSet(names=("a", "b", "c"))


@pytest.mark.parametrize("kind", list(LabelKind))
def test_a_score_is_the_evaluations(
    kind: LabelKind, trained: RunFolder, many: Path, tmp_path: Path
) -> None:
    data = DatasetConfig(name=NAME, kinds=tuple(LabelKind), multi_at_least=0.2)
    evaluation = RunFolder(tmp_path / "evaluate")
    evaluation.prepare(EvaluateConfig(run=trained.path, datasets=(data,), compute=COMPUTE))
    said = launch(evaluation, datasets_root=many)["evaluations"]
    assert isinstance(said, list)
    (expected,) = (each for each in said if each["output"] == kind)
    opened = TrainedRun.open(trained.path, many)
    judged = network_logits(opened, kind, compute=Compute.choose(COMPUTE))
    found = score(kind, opened.network.label_sets[kind], judged)
    assert found.images == expected["images"] == len(judged.test.files)
    for name, value in found.metrics.items():
        assert value == pytest.approx(expected["metrics"][name], abs=1e-6), name


def judged(logits: list[list[float]], targets: list[int]) -> Judged:
    """The same images in both parts."""
    scores = np.array(logits)
    files = tuple(map(str, range(len(targets))))
    truth = np.array(targets)
    return Judged(
        Predictions(scores, truth), ImagePredictions(files, scores.astype(np.float32), truth)
    )


def test_what_lies_behind_a_score_can_be_counted() -> None:
    sure, other = [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]
    found = score(LabelKind.SINGLE, ABC, judged([sure, sure, other, other], [0, 1, 1, 2])).detail
    assert found.confusion == ((1, 0, 0), (1, 1, 0), (0, 1, 0))
    assert found.per_label["recall"] == (1.0, 0.5, 0.0)
    assert found.per_label["images"] == (1.0, 2.0, 1.0)
    (bin_,) = found.calibration.bins
    assert (bin_.cases, bin_.accuracy) == (4, 0.5)
    assert bin_.confidence == pytest.approx(
        0.5, abs=0.01
    )  # half are wrong: the temperature says so


def test_predictions_come_back_as_they_were_kept(tmp_path: Path) -> None:
    kept = judged([[1.0, 2.0, 3.0], [0.5, 0.25, 0.0]], [2, 0]).test
    kept.write(tmp_path / "a" / "b.npz")
    found = ImagePredictions.read(tmp_path / "a" / "b.npz")
    assert found.files == kept.files
    assert np.array_equal(found.logits, kept.logits)
    assert found.digest() == kept.digest()
    (tmp_path / "c.npz").write_bytes(b"PK")
    with pytest.raises(BadPredictions, match="run it again"):
        ImagePredictions.read(tmp_path / "c.npz")
