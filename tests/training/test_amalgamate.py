"""The recipe `amalgamate`, from pre-trained runs to a student that can be exported."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.generated import DEFAULTS, asked_to_stop, content, finetune_config, train
from training.backbone import WeightsDoNotFit, WeightsUnavailable
from training.config.downstream import AmalgamateConfig
from training.launch import launch
from training.recipes.amalgamate import UntrainedTeacher, amalgamate
from training.run import RunFolder
from training.stopping import Stopped, StopRequest
from training.trained import TrainedRun


@pytest.fixture(scope="module")
def teacher_run(tmp_path_factory: pytest.TempPathFactory, few: Path) -> RunFolder:
    """A fine-tuned run, whose weights bring heads along."""
    return train(tmp_path_factory.mktemp("teacher") / "run", finetune_config(epochs=1), few)


def config(run: RunFolder, *, teacher: dict[str, Any] | None = None) -> AmalgamateConfig:
    """Two teachers of the run's weights; the first is changed by `teacher`."""
    weights = {"source": "run", "run": run.path}
    first = {"name": "perceiving", "weights": weights, "match": 4, "match_logits": True}
    second = {"name": "stimuli", "weights": {"source": "random"}, "match": 2}
    return AmalgamateConfig.model_validate(
        {
            **DEFAULTS,
            "backbone": {"name": "mobilenet_v2", "weights": weights},
            "teachers": [{**first, **(teacher or {})}, second],
        }
    )


def amalgamated(
    folder: Path, told: AmalgamateConfig, root: Path, *, stop: StopRequest | None = None
) -> RunFolder:
    run = RunFolder(folder)
    run.prepare(told)
    amalgamate(told, run=run, datasets_root=root, stop=stop or StopRequest())
    return run


def test_only_the_student_is_kept_and_can_be_opened_as_a_trained_network(
    tmp_path: Path, few: Path, teacher_run: RunFolder
) -> None:
    run = RunFolder(tmp_path / "run")
    run.prepare(config(teacher_run))
    launch(run, datasets_root=few)
    kept, _ = content(run.best_weights)
    every, _ = content(run.last_checkpoint)
    assert all(key.startswith(("network.backbone.", "network.heads.")) for key in kept)
    assert any(key.startswith("network.teachers.stimuli.") for key in every)
    trained = TrainedRun.open(run.path, few)
    for key, value in trained.network.state_dict().items():
        assert torch.equal(value, kept[f"network.{key}"])


def test_an_interrupted_amalgamation_ends_like_an_uninterrupted_one(
    tmp_path: Path, few: Path, teacher_run: RunFolder
) -> None:
    told = config(teacher_run)
    whole = amalgamated(tmp_path / "whole", told, few)
    with (
        asked_to_stop(at_pass=5, training=True) as stop,
        pytest.raises(Stopped, match="after step"),
    ):
        amalgamated(tmp_path / "cut", told, few, stop=stop)
    cut = amalgamated(tmp_path / "cut", told, few)
    first, second = content(whole.last_checkpoint), content(cut.last_checkpoint)
    assert all(torch.equal(value, second[0][key]) for key, value in first[0].items())
    assert whole.metrics_file.read_text() == cut.metrics_file.read_text()


def test_a_frozen_teacher_is_where_it_was_in_the_end(
    tmp_path: Path, few: Path, teacher_run: RunFolder
) -> None:
    """Classic distillation: its heads come along with its weights."""
    run = amalgamated(tmp_path / "run", config(teacher_run, teacher={"trainable": False}), few)
    after, _ = content(run.last_checkpoint)
    before, _ = content(teacher_run.best_weights)
    for key, value in before.items():
        found = after[key.replace("network.", "network.teachers.perceiving.", 1)]
        assert torch.equal(found, value), key


def test_a_frozen_teacher_whose_heads_were_never_trained_is_refused(
    tmp_path: Path, few: Path, teacher_run: RunFolder
) -> None:
    told = config(teacher_run, teacher={"trainable": False, "weights": {"source": "random"}})
    with pytest.raises(UntrainedTeacher, match=r"teacher perceiving is frozen .* single, multi"):
        amalgamated(tmp_path / "run", told, few)


def test_a_teacher_of_another_architecture_is_refused_before_anything_is_trained(
    tmp_path: Path, few: Path, teacher_run: RunFolder
) -> None:
    other = config(teacher_run).model_dump(mode="json")
    other["backbone"] = {"name": "resnet18", "weights": {"source": "random"}}
    told = AmalgamateConfig.model_validate(other)
    with pytest.raises(WeightsDoNotFit, match="trained another backbone"):
        amalgamated(tmp_path / "run", told, few)


def test_a_run_that_is_not_there_is_named(
    tmp_path: Path, few: Path, teacher_run: RunFolder
) -> None:
    weights = {"source": "run", "run": tmp_path / "nowhere"}
    with pytest.raises(WeightsUnavailable, match="nowhere has no"):
        amalgamated(tmp_path / "run", config(teacher_run, teacher={"weights": weights}), few)
