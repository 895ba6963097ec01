"""Configurations: what is wrong is refused before anything runs, and named."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from tests.training.generated import DEFAULTS, ROOT, finetune_config
from training.config.downstream import FinetuneConfig
from training.config.image import ImageConfig
from training.config.optimization import SgdConfig, StepSchedule
from training.config.pretraining import (
    AnpConfig,
    ClassificationConfig,
    ColorizationConfig,
    SceneConfig,
)
from training.config.publishing import EvaluateConfig
from training.config.recipes import RECIPE_CONFIG

DATASET = {"name": "colours", "kinds": ["single"]}


def refused(pattern: str, **changes: Any) -> None:
    with pytest.raises(ValidationError, match=pattern):
        finetune_config(**changes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epoch", 3),
        ("backbone", {"name": "resnet18", "pretrained": True}),
        ("backbone", {"name": "resnet18", "weights": {"source": "random", "path": "a"}}),
        ("datasets", [{**DATASET, "kind": "single"}]),
        ("image", {**DEFAULTS["image"], "crop": 28}),
        ("optimizer", {"name": "adamw", "momentum": 0.9}),
        ("schedule", {"name": "cosine", "factor": 0.1}),
        ("compute", {"gpu": True}),
    ],
)
def test_an_unknown_field_is_named(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted") as caught:
        finetune_config(**{field: value})
    assert caught.value.errors()[0]["loc"][0] == field


def test_a_crop_larger_than_the_image_is_refused() -> None:
    refused("train_crop 33 is larger than size 32", image={**DEFAULTS["image"], "train_crop": 33})


@pytest.mark.parametrize("task", [ColorizationConfig, SceneConfig, AnpConfig])
def test_a_tasks_crop_larger_than_its_image_is_refused(
    task: type[ColorizationConfig] | type[ClassificationConfig],
) -> None:
    with pytest.raises(ValidationError, match="size 65 is larger than resize 64: a crop of 65"):
        task(datasets=("tiny",), resize=64, size=65)
    assert task(datasets=("tiny",), resize=64, size=64).size == 64


def test_a_normalisation_that_divides_by_zero_is_refused() -> None:
    refused("std must be positive", image={**DEFAULTS["image"], "std": [1, 0, 1]})


def test_a_kind_named_twice_is_refused() -> None:
    refused("kinds must be distinct", datasets=[{**DATASET, "kinds": ["single", "single"]}])


def test_a_threshold_without_multi_labels_is_refused() -> None:
    refused("'multi' is not among the kinds", datasets=[{**DATASET, "multi_at_least": 0.2}])


@pytest.mark.parametrize("rate", [0, -1e-3, float("nan"), float("inf")])
def test_a_learning_rate_that_teaches_nothing_is_refused(rate: float) -> None:
    refused("learning_rate", optimizer={"name": "sgd", "learning_rate": rate})


@pytest.mark.parametrize("subjects", [{}, {"run": "var/runs/a", "bundle": "models/store/a/1"}])
def test_an_evaluation_needs_one_subject(subjects: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="give either run or bundle"):
        EvaluateConfig.model_validate({"datasets": [DATASET], **subjects})


def test_an_unknown_recipe_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"'finetune', 'evaluate', 'export'"):
        RECIPE_CONFIG.validate_python({"recipe": "bake"})


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        finetune_config().epochs = 3  # type: ignore[misc]


def test_the_defaults_are_the_papers() -> None:
    config = FinetuneConfig.model_validate(
        {"backbone": {"name": "resnet50"}, "datasets": [DATASET]}
    )
    assert (config.batch_size, config.epochs) == (32, 30)
    assert (config.image.size, config.image.train_crop) == (256, 224)
    assert config.optimizer == SgdConfig(learning_rate=1e-3, momentum=0.9, weight_decay=1e-4)
    assert config.schedule == StepSchedule(every_epochs=10, factor=0.1)


def test_evaluation_sees_the_whole_image_when_it_is_squashed_and_else_its_centre() -> None:
    assert ImageConfig(resize="squash").preprocessing().crop is None
    assert ImageConfig(resize="shorter_side", size=64, train_crop=56).preprocessing().crop == 64


def test_configurations_import_without_pytorch() -> None:
    blocked = "import sys; sys.modules.update(torch=None, torchvision=None)"
    code = f"{blocked}; import training.config.presets"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
