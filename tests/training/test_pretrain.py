"""The recipe `pretrain` for each step of perception, on the generated corpus."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.generated import content, finetune_config, train
from training.backbone import build_backbone
from training.config.backbone import BackboneConfig
from training.config.presets import configured
from training.config.pretraining import STEP_TASKS, PretrainConfig, Step
from training.data.demo import write_demo
from training.launch import launch
from training.pretext.corpus import EmptyCorpus
from training.recipes.pretrain import pretrain
from training.run import RunFolder
from training.stopping import Stopped, StopRequest

SMALL: dict[Step, list[dict[str, Any]]] = {
    Step.STIMULI: [
        {"task": "colorization", "datasets": ["demo-scenes"], "batch_size": 4, "resize": 48},
        {"task": "super_resolution", "datasets": ["demo-scenes"], "batch_size": 2, "size": 16},
    ],
    Step.ORGANIZING: [
        {"task": "jigsaw", "datasets": ["demo-scenes"], "batch_size": 2, "tile": 32},
        {"task": "scene", "datasets": ["demo-scenes"], "batch_size": 4, "resize": 48},
    ],
    Step.PERCEIVING: [
        {"task": "anp", "datasets": ["demo-pairs"], "batch_size": 4, "resize": 48},
        {"task": "captioning", "datasets": ["demo-pairs"], "batch_size": 4, "size": 48},
    ],
}
SIZES = {"colorization": {"size": 40}, "scene": {"size": 40}, "anp": {"size": 40}}
MORE = {
    "jigsaw": {"permutations": 4},
    "captioning": {"embedding": 8, "hidden": 16, "attention": 8, "min_count": 1},
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo")
    write_demo(root, counts={"train": 16, "val": 4, "test": 2})
    return root


def config(step: Step, **changes: Any) -> PretrainConfig:
    tasks = [{**t, **SIZES.get(t["task"], {}), **MORE.get(t["task"], {})} for t in SMALL[step]]
    given = {"preset": f"demo/{step}", "tasks": tasks, "epochs": 2, "steps_per_epoch": 3}
    found = configured({**given, **changes}, origin="test")
    assert isinstance(found, PretrainConfig)
    return found


def pretrained(
    folder: Path, told: PretrainConfig, root: Path, *, stop: StopRequest | None = None
) -> RunFolder:
    run = RunFolder(folder)
    run.prepare(told)
    pretrain(told, run=run, datasets_root=root, stop=stop or StopRequest())
    return run


@pytest.mark.parametrize("step", list(Step))
def test_a_step_trains_a_backbone_that_others_can_start_from(
    tmp_path: Path, corpus: Path, step: Step
) -> None:
    run = RunFolder(tmp_path / "run")
    run.prepare(config(step))
    launch(run, datasets_root=corpus)
    backbone = build_backbone(
        BackboneConfig.model_validate(
            {"name": "mobilenet_v2", "weights": {"source": "run", "run": run.path}}
        )
    )
    kept, _ = content(run.best_weights)
    for key, value in backbone.state_dict().items():
        assert torch.equal(value, kept[f"network.backbone.{key}"])
    facts = json.loads((run.path / "tasks.json").read_text())
    assert tuple(facts) == STEP_TASKS[step]
    metrics = json.loads(run.metrics_file.read_text().splitlines()[-1])["metrics"]
    assert {name.partition(".")[0] for name in metrics} == set(STEP_TASKS[step])
    assert list((run.path / "tensorboard").iterdir())
    pictures = {path.stem: Image.open(path) for path in (run.path / "pictures").iterdir()}
    assert set(pictures) == set(STEP_TASKS[step])
    assert all(np.ptp(np.asarray(picture)) > 0 for picture in pictures.values())


def test_an_interrupted_pretraining_ends_like_an_uninterrupted_one(
    tmp_path: Path, corpus: Path
) -> None:
    told = config(Step.ORGANIZING, checkpoint_every_s=1e-9)
    whole = pretrained(tmp_path / "whole", told, corpus)
    stop = StopRequest()
    stop.request()
    with pytest.raises(Stopped, match="epoch 1 after step 1"):
        pretrained(tmp_path / "cut", told, corpus, stop=stop)
    cut = pretrained(tmp_path / "cut", told, corpus)
    first, second = content(whole.last_checkpoint), content(cut.last_checkpoint)
    assert all(torch.equal(value, second[0][key]) for key, value in first[0].items())
    assert whole.metrics_file.read_text() == cut.metrics_file.read_text()


def test_one_task_of_the_pair_can_train_alone(tmp_path: Path, corpus: Path) -> None:
    tasks = config(Step.ORGANIZING).model_dump()["tasks"]
    told = config(Step.ORGANIZING, tasks=tasks[1:], epochs=1)
    run = pretrained(tmp_path / "run", told, corpus)
    tensors, _ = content(run.best_weights)
    assert {key.split(".")[2] for key in tensors if "heads" in key} == {"scene"}


def test_an_unreadable_image_is_passed_over_in_validation_too(tmp_path: Path) -> None:
    """It takes BatchNorm statistics from training images."""
    write_demo(tmp_path / "data", counts={"train": 8, "val": 4, "test": 2})
    bad, *_ = sorted((tmp_path / "data" / "demo-scenes" / "images" / "train").rglob("*.png"))
    bad.write_bytes(bad.read_bytes()[:100])
    run = pretrained(tmp_path / "run", config(Step.ORGANIZING), tmp_path / "data")
    assert "unreadable_image" in (run.path / "events.jsonl").read_text()
    assert len(run.metrics_file.read_text().splitlines()) == 4


def test_a_frozen_backbone_has_the_statistics_of_its_own_images(
    tmp_path: Path, corpus: Path, few: Path
) -> None:
    run = pretrained(tmp_path / "run", config(Step.ORGANIZING, epochs=1), corpus)
    weights = {"source": "run", "run": run.path}
    frozen = finetune_config(
        backbone={"name": "mobilenet_v2", "weights": weights}, freeze_backbone=True, epochs=1
    )
    found, _ = content(train(tmp_path / "frozen", frozen, few).best_weights)
    given, _ = content(run.best_weights)
    first = "network.backbone.stages.0.0.1"
    assert torch.equal(found[f"{first}.weight"], given[f"{first}.weight"])
    assert not torch.equal(found[f"{first}.running_mean"], given[f"{first}.running_mean"])


def test_a_corpus_without_validation_images_is_refused(tmp_path: Path, corpus: Path) -> None:
    root = tmp_path / "data"
    write_demo(root, counts={"train": 8, "val": 0, "test": 2})
    with pytest.raises(EmptyCorpus, match=r"has no image in its val split"):
        pretrained(tmp_path / "run", config(Step.STIMULI), root)
