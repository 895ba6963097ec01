"""Every sample is judged once, by what it has, whatever batch it came in."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.labels import LabelKind, LabelSet
from tests.training.generated import NAME
from training.compute import Compute
from training.config.optimization import ComputeConfig
from training.config.publishing import EvaluateConfig
from training.data.canonical import Split
from training.data.labelled import Batch
from training.data.loading import InOrder, load
from training.evaluation import (
    Collector,
    Predictions,
    flattened,
    judge,
    judge_logits,
    predicted_logits,
    selection_score,
)
from training.launch import launch
from training.run import RunFolder
from training.trained import TrainedRun

SINGLE, MULTI, DISTRIBUTION = LabelKind


def single(targets: list[int], present: list[bool]) -> Batch:
    return Batch(
        torch.zeros(len(targets), 3, 1, 1),
        {SINGLE: torch.tensor(targets)},
        {SINGLE: torch.tensor(present)},
    )


def test_samples_without_a_kind_are_left_out() -> None:
    collector = Collector([SINGLE])
    collector.add(single([1, 0], [True, False]), {SINGLE: np.array([[0.0, 1], [2, 3]])})
    collector.add(single([0], [True]), {SINGLE: np.array([[4.0, 5]])})
    found = collector.predictions()[SINGLE]
    assert found.scores.tolist() == [[0, 1], [4, 5]]
    assert found.targets.tolist() == [1, 0]


def test_a_kind_that_no_sample_has_is_left_out() -> None:
    collector = Collector([SINGLE, MULTI])
    collector.add(single([0], [False]), {SINGLE: np.zeros((1, 2))})
    assert collector.predictions() == {}


def test_accuracy_divides_by_the_samples_there_are_and_not_by_the_batch_size(
    trained: RunFolder, few: Path
) -> None:
    opened = TrainedRun.open(trained.path, few)
    images = opened.images(Split.VAL)
    compute = Compute.choose(ComputeConfig(device="cpu"))
    found = [
        predicted_logits(
            opened.network,
            load(images, InOrder(len(images), size), opened.network.label_sets, workers=0),
            compute=compute,
        )
        for size in (5, 1, 64)  # 12 images: a rest of 2, single images, fewer than a batch
    ]
    labelled = sum(SINGLE in sample.targets for sample in images.samples)
    assert [len(logits[SINGLE].targets) for logits in found] == [labelled] * 3
    first, *others = (judge_logits(logits, opened.network.label_sets) for logits in found)
    assert all(flattened(other) == pytest.approx(flattened(first), abs=1e-5) for other in others)


def test_thresholds_decide_which_labels_hold() -> None:
    found = Predictions(np.array([[0.4, 0.6]]), np.array([[1.0, 1.0]]))
    labels = LabelSet(names=("a", "b"))
    plain = judge(MULTI, found, labels=labels)
    lower = judge(MULTI, found, labels=labels, thresholds=np.array([0.3, 0.5]))
    assert (plain["hamming_loss"], lower["hamming_loss"]) == (0.5, 0)


def test_models_are_selected_by_the_sum_of_what_is_better_when_higher() -> None:
    metrics = {
        SINGLE: {"top1": 0.5, "macro_f1": 9.0},
        MULTI: {"mean_average_precision": 0.25},
        DISTRIBUTION: {"kl": 0.125},
    }
    assert selection_score(metrics) == 0.5 + 0.25 - 0.125


def test_a_metrics_name_begins_with_its_kind() -> None:
    assert flattened({SINGLE: {"top1": 0.5}, MULTI: {"micro_f1": 1.0}}) == {
        "single.top1": 0.5,
        "multi.micro_f1": 1.0,
    }


def test_a_run_that_learned_the_colours_tells_those_it_never_saw(
    tmp_path: Path, trained: RunFolder, many: Path
) -> None:
    run = RunFolder(tmp_path)
    kinds = ["single", "distribution"]
    given = {"run": trained.path, "datasets": [{"name": NAME, "kinds": kinds}]}
    run.prepare(EvaluateConfig.model_validate({**given, "compute": {"loader_workers": 0}}))
    evaluations = launch(run, datasets_root=many)["evaluations"]
    assert isinstance(evaluations, list)
    by_kind = {evaluation["output"]: evaluation for evaluation in evaluations}
    assert set(by_kind) == set(kinds)
    assert by_kind["single"]["images"] == 24  # of 30 four fifths have a label
    assert by_kind["single"]["metrics"]["top1"] > 0.9
    assert f"{NAME}, test split" in by_kind["single"]["protocol"]
