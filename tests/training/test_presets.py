"""Configurations by name, and what is laid over them."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.generated import ROOT
from training.config.backbone import BackboneName, RandomWeights, TorchvisionWeights
from training.config.downstream import AmalgamateConfig
from training.config.pipeline import PipelineConfig
from training.config.presets import (
    InvalidConfig,
    UnknownPreset,
    configured,
    presets,
    read_config,
    settled,
)
from training.config.pretraining import STEP_TASKS, PretrainConfig
from training.config.publishing import ExportConfig
from worker.jobs import JOB_CONFIG

PAPER_BACKBONES = ("resnet18", "resnet50", "resnet101", "vgg16_bn", "vgg19_bn")


PIPELINES = ("demo/pipeline", "open/pipeline")


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_a_valid_configuration(name: str) -> None:
    assert JOB_CONFIG.validate_python(settled({"preset": name})).recipe


@pytest.mark.parametrize("name", sorted({*presets()} - {*PIPELINES}))
def test_every_preset_but_a_pipeline_runs_by_itself(name: str) -> None:
    config = configured({"preset": name}, origin=name)
    if isinstance(config, ExportConfig) and config.notes is not None:
        assert (ROOT / config.notes).is_file()


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_says_that_it_is_to_be_submitted(name: str) -> None:
    with pytest.raises(InvalidConfig, match="is a pipeline, whose steps are jobs"):
        configured({"preset": name}, origin=name)


def test_the_paper_is_there_for_each_of_its_backbones() -> None:
    for backbone in PAPER_BACKBONES:
        for step, tasks in STEP_TASKS.items():
            config = configured({"preset": f"paper/{backbone}/{step}"}, origin="test")
            assert isinstance(config, PretrainConfig)
            assert config.backbone.name == backbone
            assert config.backbone.weights == TorchvisionWeights()
            assert tuple(task.task for task in config.tasks) == tasks
            assert (config.epochs, config.optimizer.learning_rate) == (12, 0.01)
        config = configured({"preset": f"paper/{backbone}/amalgamate"}, origin="test")
        assert isinstance(config, AmalgamateConfig)
        assert config.backbone.name == backbone
        ties = {t.name: (t.match, t.match_logits) for t in config.teachers}
        assert ties == {"stimuli": (2, False), "organizing": (3, False), "perceiving": (4, True)}
        assert all(t.trainable and not t.detach for t in config.teachers)


def test_fields_override_a_preset_and_the_rest_stays() -> None:
    given = {"preset": "demo/organizing", "epochs": 1, "schedule": {"warmup_epochs": 0.5}}
    config = configured(given, origin="test")
    assert isinstance(config, PretrainConfig)
    assert config.epochs == 1
    assert (config.schedule.name, config.schedule.warmup_epochs) == ("cosine", 0.5)
    assert config.step == "organizing"


def test_a_mapping_of_another_kind_inherits_nothing() -> None:
    given = {
        "preset": "open/stimuli",
        "backbone": {"weights": {"source": "random"}},
        "optimizer": {"name": "sgd", "learning_rate": 0.5},
    }
    config = configured(given, origin="test")
    assert isinstance(config, PretrainConfig)
    assert config.backbone.name is BackboneName.MOBILENET_V2
    assert config.backbone.weights == RandomWeights()
    assert config.optimizer.head_learning_rate is None


def test_what_is_done_to_a_preset_is_not_seen_by_who_asks_next() -> None:
    first: dict[str, Any] = settled({"preset": "demo/amalgamate"})
    first["teachers"][0].clear()
    first["image"].clear()
    again = settled({"preset": "demo/amalgamate"})
    assert JOB_CONFIG.validate_python(again)


def test_a_configuration_without_a_preset_is_as_given() -> None:
    assert settled({"recipe": "export", "run": "x"}) == {"recipe": "export", "run": "x"}


def test_an_unknown_preset_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UnknownPreset, match=r"no preset 'demo/nothing'; known: demo/amalgamate,"):
        settled({"preset": "demo/nothing"})


def test_an_unknown_preset_of_a_step_is_an_error_that_says_where() -> None:
    given = {"preset": "demo/pipeline", "stimuli": {"preset": "demos"}}
    with pytest.raises(UnknownPreset, match="no preset 'demos' for stimuli") as caught:
        settled(given)
    assert caught.value.place == ("stimuli",)


@pytest.mark.parametrize("role", ["stimuli", "amalgamate", "pipeline"])
def test_a_preset_may_be_named_by_its_folder(role: str) -> None:
    assert settled({"preset": "demo"}, role=role) == settled({"preset": f"demo/{role}"})


def test_fields_of_a_pipelines_step_are_laid_over_its_preset() -> None:
    given = {"preset": "demo", "export": {"name": "mine"}, "stimuli": {"epochs": 9}}
    config = JOB_CONFIG.validate_python(settled(given, role="pipeline"))
    assert isinstance(config, PipelineConfig)
    assert (config.export.name, config.export.run, config.export.alias) == (
        "mine",
        Path("amalgamate"),
        None,
    )
    assert config.stimuli.epochs == 9
    assert config.stimuli.tasks[0].datasets == ("demo-scenes",)


def test_a_step_with_a_preset_of_its_own_takes_nothing_from_the_pipelines() -> None:
    config = settled({"preset": "demo/pipeline", "stimuli": {"preset": "open"}})
    assert config["stimuli"] == settled({"preset": "open/stimuli"})


def test_every_fault_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("preset: demo/stimuli\nepochs: -1\nstep: dreaming\nspeed: high\n")
    with pytest.raises(InvalidConfig) as caught:
        read_config(file)
    for fault in ("my.yaml is not a valid", "epochs", "step", "speed"):
        assert fault in str(caught.value)


@pytest.mark.parametrize("content", ["- a list", "a: [", ""])
def test_a_file_that_is_no_mapping_is_an_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(content)
    with pytest.raises(
        InvalidConfig, match=r"my\.yaml is not (YAML|a valid configuration: expected)"
    ):
        read_config(file)


def test_a_step_takes_its_own_tasks_alone() -> None:
    with pytest.raises(InvalidConfig, match="tasks of stimuli are colorization and super_resol"):
        configured({"preset": "demo/organizing", "step": "stimuli"}, origin="test")
