"""What a configuration names by job and model becomes folders, and nothing else can be reached."""

from pathlib import Path
from typing import Any

import pytest

from models.registry import Registry, UnknownModel
from training.config.backbone import BackboneConfig
from training.config.downstream import AmalgamateConfig, FinetuneConfig
from training.config.publishing import EvaluateConfig, ExportConfig
from training.config.recipes import RecipeConfig
from worker.jobs import new_id
from worker.resolution import NotAJob, resolved
from worker.weights import WeightsRefused

JOB = new_id()
DATASETS = [{"name": "colours", "kinds": ["single"]}]
RUN = {"source": "run", "run": JOB}


def resolve(config: RecipeConfig, at: Path) -> Any:
    """The configuration with everything below `at`; whoever asks knows of which recipe it is."""
    models = Registry(at / "models")
    return resolved(config, jobs_root=at / "jobs", models=models, weights_roots=[at / "weights"])


def test_the_run_that_a_backbone_starts_from_is_found_by_its_jobs_id(tmp_path: Path) -> None:
    config = FinetuneConfig.model_validate(
        {"backbone": {"name": "resnet18", "weights": RUN}, "datasets": DATASETS}
    )
    assert resolve(config, tmp_path).backbone.weights.run == tmp_path / "jobs" / JOB


def test_every_teacher_is_found(tmp_path: Path) -> None:
    other = new_id()
    config = AmalgamateConfig.model_validate(
        {
            "backbone": {"name": "resnet18", "weights": RUN},
            "teachers": [
                {"name": "first", "weights": {"source": "run", "run": other}, "match": 2},
                {"name": "second", "weights": {"source": "random"}, "match": 4},
            ],
            "datasets": DATASETS,
        }
    )
    found = resolve(config, tmp_path)
    assert found.backbone.weights.run == tmp_path / "jobs" / JOB
    assert found.teachers[0].weights.run == tmp_path / "jobs" / other
    assert found.teachers[1] == config.teachers[1]


def test_an_export_reads_a_jobs_run_and_publishes_where_models_are_served_from(
    tmp_path: Path,
) -> None:
    found = resolve(ExportConfig(run=Path(JOB)), tmp_path)
    assert (found.run, found.registry) == (tmp_path / "jobs" / JOB, tmp_path / "models")


def test_a_bundle_is_found_by_its_models_name(tmp_path: Path) -> None:
    config = EvaluateConfig.model_validate({"bundle": "default@1", "datasets": DATASETS})
    shipped = Registry(tmp_path / "models").path("default", "1")
    assert resolve(config, tmp_path).bundle == shipped.absolute()


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = EvaluateConfig.model_validate({"bundle": "nothing@1", "datasets": DATASETS})
    with pytest.raises(UnknownModel, match="there is no model 'nothing'"):
        resolve(config, tmp_path)


@pytest.mark.parametrize(
    "run",
    ["/etc", "../../etc", "stimuli", JOB[:-1], f"{JOB}/.."],
    ids=["absolute", "climbing", "step", "cut", "beyond"],
)
def test_a_run_that_is_no_jobs_id_is_refused(tmp_path: Path, run: str) -> None:
    with pytest.raises(NotAJob, match="expected the id of a job"):
        resolve(ExportConfig(run=Path(run)), tmp_path)


def test_a_weights_file_outside_the_operators_folders_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    outside = tmp_path / "outside.safetensors"
    outside.touch()
    (tmp_path / "weights" / "inside.safetensors").touch()
    for path, fine in (("inside.safetensors", True), (str(outside), False)):
        backbone = BackboneConfig.model_validate(
            {"name": "resnet18", "weights": {"source": "file", "path": path}}
        )
        config = FinetuneConfig.model_validate({"backbone": backbone, "datasets": DATASETS})
        if fine:
            assert resolve(config, tmp_path).backbone.weights.path == tmp_path / "weights" / path
        else:
            with pytest.raises(WeightsRefused):
                resolve(config, tmp_path)
