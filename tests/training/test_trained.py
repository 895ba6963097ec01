"""A run opened again: its best weights, ready to be used, or why there are none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.preprocessing import preprocess
from tests.training.generated import content, finetune_config
from training.checkpoint import save_weights
from training.config.publishing import EvaluateConfig
from training.data.canonical import Split
from training.data.labelled import Draw, merged_label_sets, open_datasets
from training.run import RunFolder
from training.trained import NotTrained, TrainedRun, untrained_network


def test_a_run_opens_with_its_best_weights_in_evaluation_mode(
    uninterrupted: RunFolder, few: Path
) -> None:
    opened = TrainedRun.open(uninterrupted.path, few)
    state = opened.network.state_dict()
    best, _ = content(uninterrupted.best_weights)
    assert {key.removeprefix("network.") for key in best} == state.keys()
    assert all(torch.equal(state[k.removeprefix("network.")], best[k]) for k in best)
    assert not any(module.training for module in opened.network.modules())


def test_images_are_those_of_the_split_as_a_bundle_would_see_them(
    uninterrupted: RunFolder, few: Path
) -> None:
    opened = TrainedRun.open(uninterrupted.path, few)
    images = opened.images(Split.TEST)
    assert len(images) == 6
    first = images.samples[0]
    with Image.open(first.dataset.root / first.sample.file_name) as picture:
        expected = preprocess(picture.convert("RGB"), opened.config.image.preprocessing())
    assert np.array_equal(images[Draw(0, (9,))].pixels, expected)


def test_a_run_opens_without_the_weights_it_once_started_from(tmp_path: Path, few: Path) -> None:
    weights = {"source": "file", "path": tmp_path / "gone.safetensors"}
    config = finetune_config(backbone={"name": "mobilenet_v2", "weights": weights})
    run = RunFolder(tmp_path)
    run.prepare(config)
    label_sets = merged_label_sets(open_datasets(config.datasets, few))
    save_weights(run.best_weights, untrained_network(config, label_sets), note={})
    assert TrainedRun.open(tmp_path, few).config == config


def test_a_run_that_has_not_trained_yet_is_refused(tmp_path: Path, few: Path) -> None:
    RunFolder(tmp_path).prepare(finetune_config())
    with pytest.raises(NotTrained, match=r"no best\.safetensors yet: finish its training"):
        TrainedRun.open(tmp_path, few)


def test_a_run_of_another_recipe_is_refused(tmp_path: Path, few: Path) -> None:
    config = EvaluateConfig(run=tmp_path, datasets=finetune_config().datasets)
    RunFolder(tmp_path).prepare(config)
    with pytest.raises(NotTrained, match="is a run of evaluate, expected one of finetune"):
        TrainedRun.open(tmp_path, few)
