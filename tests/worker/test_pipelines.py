"""Pipelines against a real Redis; their steps are claimed and ended as a worker would do it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from models.registry import Registry
from tests.tiny_bundle import tiny_writer
from tests.worker.pipeline_jobs import (
    PRETRAININGS,
    STEPS,
    end,
    pipeline_spec,
    start,
    states,
    step,
    submitted,
    succeed_all,
)
from training.config.downstream import AmalgamateConfig
from training.config.pipeline import PipelineStep
from training.config.publishing import EvaluateConfig, ExportConfig
from worker.expansion import NotAPipeline, expand
from worker.jobs import Failure, JobKind, JobRecord, JobResult, JobSpec, Progress, Queue
from worker.pipelines import advance, advance_all
from worker.settings import JobSettings
from worker.status import JobStatus
from worker.store import JobStore

S = JobStatus
FIGURES = [{"output": "single", "metrics": {"top1": 0.5}}]


@pytest.fixture
def settings(tmp_path: Path) -> JobSettings:
    return JobSettings(models_root=tmp_path / "models")


@pytest.fixture
def parent(store: JobStore) -> JobRecord:
    return submitted(store)


def published(settings: JobSettings) -> JobResult:
    """What an export ends with, its version in the registry."""
    bundle = Registry(settings.models_root).publish("demo", tiny_writer("demo"))
    return JobResult(model="demo", version=bundle.manifest.version)


def results(settings: JobSettings) -> dict[str, JobResult]:
    return {
        "evaluate": JobResult(summary={"evaluations": FIGURES}),
        "export": published(settings),
    }


def told(store: JobStore, parent: JobRecord, kind: str) -> list[dict[str, Any]]:
    items = store.events(parent.id, limit=1000).items
    return [item.data for item in items if item.data["event"] == kind]


def test_a_pipeline_becomes_itself_and_six_steps_in_order() -> None:
    first, *children = expand(pipeline_spec())
    assert first.kind is JobKind.PIPELINE
    assert first.datasets == ()
    assert [child.step for child in children] == list(STEPS)
    assert {child.parent_id for child in children} == {first.id}
    ids = [first.id, *(child.id for child in children)]
    assert ids == sorted(ids)
    assert children[0].name == "first: stimuli"


def test_steps_depend_on_those_before_and_wait_in_their_queues() -> None:
    _, *children = expand(pipeline_spec())
    ids = {str(child.step): child.id for child in children}
    found = {str(child.step): (child.queue, child.depends_on) for child in children}
    three = tuple(ids[name] for name in PRETRAININGS)
    assert found == {
        "stimuli": (Queue.GPU, ()),
        "organizing": (Queue.GPU, ()),
        "perceiving": (Queue.GPU, ()),
        "amalgamate": (Queue.GPU, three),
        "evaluate": (Queue.CPU, (ids["amalgamate"],)),
        "export": (Queue.CPU, (ids["evaluate"],)),
    }


def test_steps_refer_to_each_other_by_job_id() -> None:
    _, *children = expand(pipeline_spec())
    ids = {str(child.step): child.id for child in children}
    amalgamate, evaluate, export = (child.config for child in children[3:])
    assert isinstance(amalgamate, AmalgamateConfig)
    assert isinstance(evaluate, EvaluateConfig)
    assert isinstance(export, ExportConfig)
    plain = amalgamate.model_dump(mode="json")
    assert plain["backbone"]["weights"]["run"] == ids["perceiving"]
    assert [one["weights"]["run"] for one in plain["teachers"]] == [ids[n] for n in PRETRAININGS]
    assert str(evaluate.run) == str(export.run) == ids["amalgamate"]


def test_a_pretraining_refers_to_jobs_outside_of_its_pipeline() -> None:
    weights = {"source": "run", "run": "0123"}
    spec = pipeline_spec(stimuli={"preset": "demo", "backbone": {"weights": weights}})
    _, stimuli, *_ = expand(spec, awaited={})
    assert stimuli.config.model_dump(mode="json")["backbone"]["weights"] == weights


def test_a_step_waits_for_what_it_is_told_to() -> None:
    _, stimuli, organizing, *_ = expand(pipeline_spec(), awaited={PipelineStep.STIMULI: ("0123",)})
    assert stimuli.depends_on == ("0123",)
    assert organizing.depends_on == ()


def test_steps_have_the_pipelines_gpus_labels_and_data_sets() -> None:
    spec = pipeline_spec().model_copy(
        update={"gpus": 2, "labels": {"team": "a"}, "time_limit_s": 60}
    )
    _, *children = expand(spec)
    assert [child.gpus for child in children] == [2, 2, 2, 2, 1, 1]
    assert {child.labels["team"] for child in children} == {"a"}
    assert {child.time_limit_s for child in children} == {60}
    assert children[0].datasets == ("demo-scenes",)
    assert [child.datasets for child in children[3:]] == [("demo-emotions",)] * 3


def test_only_a_pipeline_has_steps() -> None:
    config = pipeline_spec().config.model_dump()["stimuli"]
    spec = JobSpec.model_validate({"kind": "pretrain", "config": config})
    with pytest.raises(NotAPipeline, match="pretrain"):
        expand(spec)


def test_pretrainings_run_side_by_side_and_the_others_wait(
    store: JobStore, parent: JobRecord
) -> None:
    assert len(store.ready(Queue.GPU, 10)) == 3
    assert store.ready(Queue.CPU, 10) == ()
    for name in PRETRAININGS:
        end(store, parent, name)
    assert store.ready(Queue.GPU, 10) == (step(store, parent, "amalgamate").id,)


def test_the_parent_runs_once_a_step_does(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    assert advance(store, parent.id, settings=settings).status is S.QUEUED
    start(store, parent, "organizing")
    assert advance(store, parent.id, settings=settings).status is S.RUNNING
    end(store, parent, "organizing")
    moved = advance(store, parent.id, settings=settings)
    assert moved.status is S.RUNNING
    assert moved.started_at is not None


def test_all_succeeded_is_promoted_and_succeeded(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    succeed_all(store, parent, results=results(settings))
    ended = advance(store, parent.id, settings=settings)
    assert ended.status is S.SUCCEEDED
    assert ended.finished_at is not None
    assert ended.progress.fraction == 1
    assert ended.result == JobResult(
        model="demo",
        version="1",
        promoted=True,
        reason="production pointed to no version before",
        summary={"evaluations": FIGURES},
    )
    assert Registry(settings.models_root).aliases("demo") == {"production": "1"}


def test_a_gate_that_holds_the_alias_is_no_failure(store: JobStore, settings: JobSettings) -> None:
    published(settings)
    Registry(settings.models_root).set_alias("demo", "production", version="1")
    gate = {"only_if_better": {"output": "single", "metric": "top1"}}
    parent = submitted(store, promotion=gate)
    succeed_all(store, parent, results=results(settings))
    ended = advance(store, parent.id, settings=settings)
    assert ended.status is S.SUCCEEDED
    assert ended.result
    assert (ended.result.version, ended.result.promoted) == ("2", False)
    assert Registry(settings.models_root).aliases("demo") == {"production": "1"}


def test_a_crash_between_promotion_and_the_end_does_no_harm(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    succeed_all(store, parent, results=results(settings))
    Registry(settings.models_root).set_alias("demo", "production", version="1")
    ended = advance(store, parent.id, settings=settings)
    assert ended.status is S.SUCCEEDED
    assert ended.result
    assert ended.result.promoted
    assert advance(store, parent.id, settings=settings) == ended


def test_a_version_that_cannot_be_promoted_fails_the_pipeline(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    succeed_all(store, parent, results={"export": JobResult(model="demo", version="7")})
    ended = advance(store, parent.id, settings=settings)
    assert ended.status is S.FAILED
    assert ended.error
    assert ended.error.type == "UnknownModel"


def test_an_export_without_a_version_fails_the_pipeline(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    succeed_all(store, parent, results={})
    ended = advance(store, parent.id, settings=settings)
    assert ended.error == Failure(
        type="NothingPublished", message="step export ended without a version of a model"
    )


def test_a_failed_step_cancels_the_others_and_fails_the_parent_with_its_reason(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    start(store, parent, "perceiving")
    end(store, parent, "organizing", S.FAILED, error=Failure(type="X", message="no such file"))
    assert advance(store, parent.id, settings=settings).status is S.RUNNING
    assert states(store, parent) == {
        "stimuli": "cancelled",
        "organizing": "failed",
        "perceiving": "cancelling",
        "amalgamate": "cancelled",
        "evaluate": "cancelled",
        "export": "cancelled",
    }
    end(store, parent, "perceiving", S.CANCELLED)
    ended = advance(store, parent.id, settings=settings)
    assert ended.status is S.FAILED
    assert ended.error == Failure(type="StepFailed", message="step organizing failed: no such file")


def test_a_failed_parents_steps_are_left_alone(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    end(store, parent, "organizing", S.FAILED)
    advance(store, parent.id, settings=settings)
    store.move(step(store, parent, "stimuli").id, S.QUEUED)
    advance_all(store, settings)
    assert states(store, parent)["stimuli"] == "queued"


def test_every_move_of_a_step_is_an_event_of_the_parent(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    end(store, parent, "stimuli")
    advance(store, parent.id, settings=settings)
    made = step(store, parent, "stimuli").id
    assert told(store, parent, "step") == [
        {"event": "step", "step": "stimuli", "job_id": made, "status": status}
        for status in ("running", "succeeded")
    ]


def test_many_callers_at_once_move_it_once(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    succeed_all(store, parent, results=results(settings))

    def call(_: int) -> JobStatus:
        return advance(store, parent.id, settings=settings).status

    with ThreadPoolExecutor(12) as pool:
        seen = set(pool.map(call, range(48)))
    assert seen == {S.SUCCEEDED}
    assert [event["status"] for event in told(store, parent, "status")] == [
        "queued",
        "running",
        "succeeded",
    ]
    assert len(told(store, parent, "step")) == 2 * len(STEPS)


class Overtaken(JobStore):
    """A store in which another caller makes a pipeline's first move just before this one does."""

    def move_from(self, current: JobRecord, to: JobStatus, **changes: Any) -> JobRecord | None:
        if current.status is S.QUEUED:
            self.move(current.id, S.RUNNING)
        return super().move_from(current, to, **changes)


def test_a_caller_that_is_overtaken_between_two_moves_still_tells_of_the_end(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    succeed_all(store, parent, results=results(settings))
    overtaken = Overtaken(store.client, prefix="test")
    assert advance(overtaken, parent.id, settings=settings).status is S.SUCCEEDED
    told_of = [event["status"] for event in told(store, parent, "status")]
    assert told_of == ["queued", "running", "succeeded"]


def test_many_callers_at_once_tell_each_event_of_a_failure_once(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    end(store, parent, "stimuli", S.FAILED)

    def call(_: int) -> JobStatus:
        return advance(store, parent.id, settings=settings).status

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(call, range(48))) == {S.FAILED}
    told_of = [(event["step"], event["status"]) for event in told(store, parent, "step")]
    assert len(told_of) == len(set(told_of))
    assert sorted(told_of) == sorted(
        [
            ("stimuli", "running"),
            ("stimuli", "failed"),
            *((name, "cancelled") for name in STEPS[1:]),
        ]
    )
    assert told(store, parent, "status")[-1]["status"] == "failed"


def test_what_hinders_one_pipeline_does_not_hinder_the_next(
    store: JobStore, settings: JobSettings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    stuck = submitted(store)
    other = submitted(store, promotion=None)
    for one in (stuck, other):
        succeed_all(store, one, results=results(settings))
    lock = settings.models_root / "demo" / ".lock"
    lock.unlink()
    lock.mkdir()  # the alias cannot be written
    advance_all(store, settings)
    assert store.get(stuck.id).status is S.QUEUED
    assert store.get(other.id).status is S.SUCCEEDED
    lock.rmdir()
    advance_all(store, settings)
    assert store.get(stuck.id).status is S.SUCCEEDED


def test_progress_names_the_running_steps_and_weighs_them(
    store: JobStore, parent: JobRecord, settings: JobSettings
) -> None:
    end(store, parent, "stimuli")
    for name, fraction in (("organizing", 0.5), ("perceiving", 0.25)):
        lease = start(store, parent, name)
        progress = Progress(fraction=fraction, eta_seconds=60.0)
        store.report(lease, events=[], offset=0, progress=progress, metrics=None)
    advance(store, parent.id, settings=settings)
    found = store.get(parent.id).progress
    assert found.stage == "organizing, perceiving"
    assert found.fraction == pytest.approx(0.24 + 0.10 + 0.05)
    assert found.eta_seconds is not None
    assert found.eta_seconds >= 60


def test_progress_that_was_told_late_does_not_change_an_ended_pipeline(store: JobStore) -> None:
    parent = submitted(store)
    store.show(parent, Progress(fraction=0.5))
    assert store.get(parent.id).progress.fraction == 0.5
    ended = store.move(parent.id, S.CANCELLED)
    store.show(parent, Progress(fraction=0.25))
    assert store.get(parent.id) == ended
