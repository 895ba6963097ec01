"""What a job may be: every fault is named, with its place, before anything is stored."""

import shutil
from copy import deepcopy
from typing import Any

import pytest

from models.labels import LabelKind
from tests.app.client import assert_problem
from tests.app.job_service import FINETUNE, JobService, write_card
from training.config.importing import ImportConfig
from worker.dependencies import fail_hopeless
from worker.jobs import Failure, JobKind, JobRecord, JobSpec, Queue
from worker.status import JobStatus

NOWHERE = "0" * 26
PRETRAIN = {"kind": "pretrain", "config": {"preset": "demo", "step": "stimuli"}}


def finetune(**config: Any) -> dict[str, Any]:
    document = deepcopy(FINETUNE)
    document["config"] |= config
    return document


def refused(service: JobService, document: Any, status: int = 422) -> dict[str, str]:
    """Messages by place, joined with dots."""
    problem = assert_problem(service.submit(document), status)
    assert service.store.list().items == ()
    return {".".join(map(str, part["loc"])): part["msg"] for part in problem["errors"]}


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("pipeline", {"preset": "demo"}),
        ("pipeline", {"preset": "demo/pipeline", "stimuli": {"epochs": 1}}),
        ("pretrain", {"preset": "demo", "step": "organizing"}),
        ("pretrain", {"preset": "demo/perceiving", "recipe": "pretrain"}),
    ],
)
def test_a_preset_is_enough(service: JobService, kind: str, config: Any) -> None:
    assert service.submit({"kind": kind, "config": config}).status_code == 202


def test_every_fault_is_named_at_once_where_it_is(service: JobService) -> None:
    document = finetune(
        backbone={"name": "resnet18", "weights": {"source": "file", "path": 3}},
        datasets=[{"name": "emotions", "kinds": ["single", "mixed"]}],
        image={"size": 100, "train_crop": 101},
        optimizer={"name": "adamw", "learning_rate": -1, "momentum": 0.9},
        epochs="many",
        speed="high",
    )
    found = refused(service, {**document, "gpus": 0, "labels": {"a": 1}, "colour": "red"})
    assert set(found) == {
        "body.gpus",
        "body.labels.a",
        "body.colour",
        "body.config.backbone.weights.path",
        "body.config.datasets.0.kinds.1",
        "body.config.image",
        "body.config.optimizer.learning_rate",
        "body.config.optimizer.momentum",
        "body.config.epochs",
        "body.config.speed",
    }
    assert "train_crop 101 is larger than size 100" in found["body.config.image"]


def test_what_is_missing_is_named_where_it_should_be(service: JobService) -> None:
    found = refused(service, {"kind": "finetune", "config": {"optimizer": {"name": "adamw"}}})
    assert {"body.config.backbone", "body.config.datasets"} == set(found)
    found = refused(service, {"kind": "pretrain", "config": {"step": "stimuli", "tasks": [{}]}})
    assert {"body.config.backbone", "body.config.tasks.0"} == set(found)
    found = refused(service, {})
    assert {"body.kind", "body.config"} == set(found)


def test_a_fault_in_a_pipelines_step_is_named_there(service: JobService) -> None:
    config = {"preset": "demo", "stimuli": {"epochs": 0}, "evaluate": {"split": "all"}}
    found = refused(service, {"kind": "pipeline", "config": config})
    assert {"body.config.stimuli.epochs", "body.config.evaluate.split"} == set(found)


def test_the_detail_names_the_first_faults_and_counts_the_others(service: JobService) -> None:
    document = {**finetune(epochs=0, dropout=2, batch_size=0, seed=-1)}
    problem = assert_problem(service.submit(document), 422)
    assert problem["type"] == "urn:sentiscope:problem:invalid-job"
    assert "config.seed: Input should be greater" in problem["detail"]
    assert problem["detail"].endswith("and 1 more")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 5000]
)
def test_what_is_not_json_is_malformed(service: JobService, body: bytes) -> None:
    response = service.client.request("POST", "/v1/jobs", content=body)
    assert_problem(response, 400)


@pytest.mark.parametrize("document", [[], "job", 3, None])
def test_what_is_no_object_is_malformed(service: JobService, document: Any) -> None:
    assert_problem(service.submit(document), 400)


def test_deep_nesting_is_malformed(service: JobService) -> None:
    deep: Any = 1
    for _ in range(100):
        deep = {"stimuli": deep}
    problem = assert_problem(service.submit({"kind": "pipeline", "config": deep}), 400)
    assert "more than 32 levels" in problem["detail"]


def test_a_body_without_end_is_too_large(service: JobService) -> None:
    assert_problem(service.submit({**FINETUNE, "name": "x" * 1_100_000}), 413)


def test_another_recipe_than_the_kind_is_a_fault(service: JobService) -> None:
    found = refused(service, finetune(recipe="export"))
    assert "is not the job's kind, finetune" in found["body.config.recipe"]


def test_a_preset_of_another_kind_is_a_fault(service: JobService) -> None:
    found = refused(service, {"kind": "finetune", "config": {"preset": "demo/stimuli"}})
    assert "configures pretrain" in found["body.config.preset"]


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"preset": "nothing"}, "body.config.preset"),
        ({"preset": ["demo"]}, "body.config.preset"),
        ({"preset": "../../secret"}, "body.config.preset"),
        ({"preset": "demo", "export": {"preset": "x"}}, "body.config.export.preset"),
    ],
)
def test_an_unknown_preset_is_a_fault_that_names_the_known(
    service: JobService, config: Any, place: str
) -> None:
    found = refused(service, {"kind": "pipeline", "config": config})
    assert "known: demo/amalgamate" in found[place]


def test_imports_are_made_elsewhere(service: JobService) -> None:
    config = {"name": "a", "format": "class_folder", "sources": ["/etc"]}
    found = refused(service, {"kind": "import", "config": config})
    assert "POST /v1/datasets" in found["body.kind"]


@pytest.mark.parametrize("kind", ["export", "pipeline"])
def test_an_export_goes_where_the_operator_says(service: JobService, kind: str) -> None:
    given = {"registry": "/tmp/other", "notes": "/etc/passwd"}
    if kind == "pipeline":
        found = refused(service, {"kind": kind, "config": {"preset": "demo", "export": given}})
        assert {"body.config.export.registry", "body.config.export.notes"} == set(found)
    else:
        found = refused(service, {"kind": kind, "config": {"run": NOWHERE, **given}})
        assert {"body.config.registry", "body.config.notes"} == set(found)


def test_only_trainings_take_several_gpus(service: JobService) -> None:
    found = refused(service, {"kind": "export", "config": {"run": NOWHERE}, "gpus": 2})
    assert "one GPU at most" in found["body.gpus"]


def test_unknown_data_sets_are_not_found_and_the_known_are_named(service: JobService) -> None:
    document = finetune(
        datasets=[{"name": "fi", "kinds": ["single"]}, {"name": "ava", "kinds": ["single"]}]
    )
    found = refused(service, document, 404)
    assert set(found) == {"body.config.datasets.0.name", "body.config.datasets.1.name"}
    assert "known: demo-emotions, demo-pairs, demo-scenes, emotions" in str(found)


def importing(service: JobService, name: str) -> str:
    """The id of an import that has not ended."""
    config = {"name": name, "format": "class_folder", "sources": ["photos.zip"]}
    spec = JobSpec(kind=JobKind.IMPORT, config=ImportConfig.model_validate(config))
    return service.store.create([JobRecord.of(spec)]).id


def test_a_job_waits_for_the_import_of_its_data_set(service: JobService) -> None:
    awaited = importing(service, "fi")
    job_id = service.submitted(finetune(datasets=[{"name": "fi", "kinds": ["single"]}]))
    assert service.get(job_id).json()["depends_on"] == [awaited]
    assert service.store.ready(Queue.GPU, 10) == ()
    service.ended(awaited, JobStatus.SUCCEEDED)
    assert service.store.ready(Queue.GPU, 10) == (job_id,)


def test_a_job_fails_with_the_import_of_its_data_set(service: JobService) -> None:
    awaited = importing(service, "fi")
    job_id = service.submitted(finetune(datasets=[{"name": "fi", "kinds": ["single"]}]))
    service.ended(awaited, JobStatus.FAILED, error=Failure(type="BadSource", message="no images"))
    fail_hopeless(service.store)
    found = service.get(job_id).json()
    assert found["status"] == "failed"
    assert f"it waited for job {awaited}, which failed: no images" in found["error"]["message"]


def test_the_steps_of_a_pipeline_wait_for_the_imports_of_their_own_data_sets(
    service: JobService,
) -> None:
    shutil.rmtree(service.settings.datasets_root / "demo-scenes")
    awaited = importing(service, "demo-scenes")
    parent = service.submitted({"kind": "pipeline", "config": {"preset": "demo"}})
    waiting = {
        str(step.step) for step in service.store.children(parent) if awaited in step.depends_on
    }
    assert waiting == {"stimuli", "organizing"}


def test_a_pretext_tasks_unknown_data_set_is_not_found(service: JobService) -> None:
    document = {"kind": "pretrain", "config": {"preset": "open/organizing"}}
    document["config"]["backbone"] = {"weights": {"source": "random"}}  # type: ignore[index]
    assert set(refused(service, document, 404)) == {
        "body.config.tasks.0.datasets.0",
        "body.config.tasks.1.datasets.0",
    }


def test_labels_that_a_data_set_does_not_have_are_a_fault(service: JobService) -> None:
    wanted = {"name": "emotions", "kinds": ["single", "multi"]}
    found = refused(service, finetune(datasets=[wanted]))
    assert "has no multi labels; it offers: distribution, single" in str(found)
    derived = finetune(datasets=[{**wanted, "multi_at_least": 0.2}])
    assert service.submit(derived).status_code == 202


def test_a_broken_data_set_is_a_fault(service: JobService) -> None:
    write_card(service.settings.datasets_root / "broken", (LabelKind.SINGLE,))
    (service.settings.datasets_root / "broken" / "dataset.json").write_text("{}")
    found = refused(service, finetune(datasets=[{"name": "broken", "kinds": ["single"]}]))
    assert "is not a data set's card" in found["body.config.datasets.0.name"]


def test_unknown_jobs_and_models_are_not_found(service: JobService) -> None:
    assert_problem(service.submit({"kind": "export", "config": {"run": NOWHERE}}), 404)
    start = {"backbone": {"name": "resnet18", "weights": {"source": "run", "run": NOWHERE}}}
    found = refused(service, finetune(**start), 404)
    assert found == {"body.config.backbone.weights.run": f"there is no job {NOWHERE}"}
    datasets = FINETUNE["config"]["datasets"]
    document = {"kind": "evaluate", "config": {"bundle": "tiny@7", "datasets": datasets}}
    found = refused(service, document, 404)
    assert "no version or alias '7'" in found["body.config.bundle"]


@pytest.mark.parametrize("reference", ["tiny", "tiny@1", "tiny@production"])
def test_a_model_is_evaluated_by_its_reference(service: JobService, reference: str) -> None:
    datasets = FINETUNE["config"]["datasets"]
    document = {"kind": "evaluate", "config": {"bundle": reference, "datasets": datasets}}
    assert service.submit(document).status_code == 202


@pytest.mark.parametrize("run", ["var/runs/demo/amalgamate", "/etc/passwd", "../x"])
def test_a_path_is_not_a_run(service: JobService, run: str) -> None:
    found = refused(service, {"kind": "export", "config": {"run": run}})
    assert "is not the id of a job" in found["body.config.run"]


def test_a_run_of_another_kind_is_a_fault(service: JobService) -> None:
    pretrained = service.submitted(PRETRAIN)
    problem = assert_problem(service.submit({"kind": "export", "config": {"run": pretrained}}), 422)
    assert "of kind pretrain, expected one of amalgamate, finetune" in problem["detail"]


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_job_that_has_no_run_cannot_be_built_upon(service: JobService, status: JobStatus) -> None:
    trained = service.submitted()
    if status is JobStatus.CANCELLED:
        service.act(trained, "cancel")
    else:
        service.ended(trained, status)
    problem = assert_problem(service.submit({"kind": "export", "config": {"run": trained}}), 409)
    assert f"job {trained} is {status}" in problem["detail"]


def weights(path: str) -> dict[str, Any]:
    return {"backbone": {"name": "resnet18", "weights": {"source": "file", "path": path}}}


def test_weights_come_from_the_operators_folders(service: JobService) -> None:
    folder = service.settings.weights_roots[0].parent
    (folder / "weights" / "nets").mkdir(parents=True)
    (folder / "weights" / "nets" / "a.safetensors").write_bytes(b"")
    (folder / "elsewhere.safetensors").write_bytes(b"")
    (folder / "weights" / "link.safetensors").symlink_to(folder / "elsewhere.safetensors")
    for path in (
        "/etc/passwd",
        str(folder / "elsewhere.safetensors"),
        "../elsewhere.safetensors",
        "link.safetensors",
        "missing.safetensors",
        "nets",
        "a\0b",
    ):
        problem = service.submit(finetune(**weights(path)))
        assert problem.status_code == 422, path
        assert problem.json()["errors"][0]["loc"][-3:] == ["backbone", "weights", "path"]
        assert str(folder / "weights") not in problem.text
    for path in (str(folder / "weights/nets/a.safetensors"), "nets/a.safetensors"):
        response = service.submit(finetune(**weights(path)))
        assert response.status_code == 202, response.text
        assert response.json()["config"]["backbone"]["weights"]["path"] == path


def test_a_data_set_that_is_being_deleted_is_in_use(service: JobService) -> None:
    with service.store.forget_dataset("emotions"):
        problem = assert_problem(service.submit(FINETUNE), 409)
    assert "emotions is being deleted" in problem["detail"]


def test_without_data_sets_that_is_said(service: JobService) -> None:
    shutil.rmtree(service.settings.datasets_root)
    problem = assert_problem(service.submit(FINETUNE), 404)
    assert "there are none yet" in problem["detail"]


@pytest.mark.parametrize("kind", sorted(set(JobKind) - {JobKind.IMPORT}))
def test_an_empty_configuration_of_any_kind_is_a_fault(service: JobService, kind: str) -> None:
    assert refused(service, {"kind": kind, "config": {}})
