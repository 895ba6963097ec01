"""Exports from end to end: what is published, what it says of itself, and what is refused."""

import hashlib
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.special import expit, log_softmax
from torch import Tensor
from torch.nn.modules.module import register_module_forward_pre_hook

from models.bundle import Bundle
from models.labels import LabelKind
from models.manifest import Precision
from models.registry import Registry
from models.runtime import Session
from tests.training.generated import content, finetune_config, started, wait_until, write_colours
from training.calibration import TEMPERATURE_RANGE
from training.compute import Compute
from training.config.optimization import ComputeConfig
from training.config.publishing import ExportConfig
from training.data.canonical import Split
from training.data.labelled import NoSamples
from training.data.loading import InOrder, load
from training.evaluation import Predictions, predicted_logits
from training.export.gates import GateFailed
from training.export.graph import ExportedNetwork
from training.export.publication import Publication, published
from training.launch import launch
from training.recipes.export import NotesUnreadable
from training.run import RunFolder
from training.stopping import Stopped
from training.trained import NotTrained, TrainedRun

SINGLE, MULTI, DISTRIBUTION = LabelKind
Weights = dict[str, Tensor]


def export_config(trained: Path, folder: Path, **changes: Any) -> ExportConfig:
    """An export of `trained` into the registry `folder`/models."""
    return ExportConfig.model_validate(
        {
            "run": trained,
            "name": "tiny",
            "registry": folder / "models",
            "calibration_images": 32,
            "parity_images": 64,
            "compute": {"device": "cpu", "loader_workers": 0},
            **changes,
        }
    )


def export_to(folder: Path, root: Path, trained: Path, **changes: Any) -> dict[str, object]:
    """The results of an export in the run folder `folder`/run."""
    run = RunFolder(folder / "run")
    run.prepare(export_config(trained, folder, **changes))
    return launch(run, datasets_root=root)


def altered(trained: RunFolder, folder: Path, change: Callable[[Weights], None]) -> Path:
    """A copy of a run whose best weights were changed."""
    shutil.copytree(trained.path, folder)
    run = RunFolder(folder)
    tensors, note = content(run.best_weights)
    change(tensors)
    metadata = {"format": "sentiscope-checkpoint-1", "state": note}
    save_file(tensors, run.best_weights, metadata=metadata)
    return folder


def give_one_channel_all_the_range(weights: Weights) -> None:
    """The same network, but in each block one channel leaves INT8 no steps for the others."""
    for key in [key for key in weights if key.endswith("bn1.weight")]:
        block = key.removesuffix("bn1.weight")
        weights[key][0] *= 1e4
        weights[f"{block}bn1.bias"][0] *= 1e4
        weights[f"{block}conv2.weight"][:, 0] /= 1e4


def make_logits_of_rounding_errors(weights: Weights) -> None:
    """Constant features, and head weights whose sum over them is 0 but for the rounding."""
    generator = torch.Generator().manual_seed(0)
    for key, value in weights.items():
        if key.startswith("network.backbone.stages.3.") and ("bn2." in key or "sample.1." in key):
            value.fill_(0.5 if key.endswith("bias") else 0.0 if key.endswith("weight") else 1.0)
        if key.startswith("network.heads.") and key.endswith("weight"):
            for row in value:
                half = torch.randn(len(row) // 2, generator=generator) * 1e7
                order = torch.randperm(len(row), generator=generator)
                row.copy_(torch.cat([half, -half])[order])


def stages(run: RunFolder) -> list[str]:
    """The stages of an export that were begun."""
    file = run.path / "events.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [event["stage"] for event in events if event["event"] == "progress"]


def assert_nothing_published(folder: Path) -> None:
    """Neither a version nor half of one, and no alias."""
    models = folder / "models"
    assert Registry(models, shipped=folder / "none").names() == ()
    assert {path.name for path in models.rglob("*")} <= {"tiny", ".lock"}


def pytorch_logits(run: RunFolder, root: Path, split: Split) -> Mapping[LabelKind, Predictions]:
    """What the run's best network says in PyTorch, and the targets."""
    trained = TrainedRun.open(run.path, root)
    images = trained.images(split)
    loader = load(images, InOrder(len(images), 16), trained.network.label_sets, workers=0)
    compute = Compute.choose(ComputeConfig(device="cpu", loader_workers=0))
    return predicted_logits(trained.network, loader, compute=compute)


@dataclass(frozen=True, slots=True)
class Second:
    """A second export into the same registry, whose INT8 graph failed."""

    results: Mapping[str, Any]
    registry: Registry

    @property
    def bundle(self) -> Bundle:
        return self.registry.open("tiny@2")


@pytest.fixture(scope="module")
def second(
    tmp_path_factory: pytest.TempPathFactory, export_run: RunFolder, trained: RunFolder, many: Path
) -> Second:
    folder = tmp_path_factory.mktemp("second")
    shutil.copytree(export_run.path.parent / "models", folder / "models")
    wide = altered(trained, folder / "wide", give_one_channel_all_the_range)
    results = export_to(folder, many, wide, alias="candidate")
    return Second(results, Registry(folder / "models", shipped=folder / "none"))


def test_every_gate_is_recorded_with_its_figures(bundle: Bundle) -> None:
    parity, maps, int8 = bundle.manifest.gates
    assert [parity.name, maps.name, int8.name] == ["fp32_parity", "maps_are_exact", "int8"]
    assert parity.passed
    assert maps.passed
    assert int8.passed
    sizes = {f"{kind}.batch_{size}" for kind in LabelKind for size in (1, 2, 5)}
    assert parity.measured.keys() == {*sizes, "images"}
    assert parity.measured["images"] == 64
    assert maps.measured.keys() == {kind.value for kind in LabelKind}
    figures = ("mean_kl", "top_agreement", "metric_loss")
    expected = {f"{kind}.{figure}" for kind in LabelKind for figure in figures}
    assert int8.measured.keys() == {*expected, "float_share"}


def test_results_say_what_the_manifest_says(export_run: RunFolder, bundle: Bundle) -> None:
    results = json.loads(export_run.results_file.read_text())
    manifest = bundle.manifest.model_dump(mode="json")
    assert results == {
        "model": "tiny",
        "version": "1",
        "digest": f"sha256:{bundle.digest}",
        "gates": manifest["gates"],
        "evaluations": manifest["evaluations"],
    }


def test_temperature_is_the_best_one_on_validation_data(
    bundle: Bundle, trained: RunFolder, many: Path
) -> None:
    found = pytorch_logits(trained, many, Split.VAL)[DISTRIBUTION]
    output = bundle.manifest.output(DISTRIBUTION)
    assert output is not None

    def loss(temperature: float) -> float:
        return float(-(found.targets * log_softmax(found.scores / temperature, axis=1)).sum())

    assert TEMPERATURE_RANGE[0] < output.temperature < TEMPERATURE_RANGE[1]
    assert loss(output.temperature) < loss(1.0)
    assert loss(output.temperature) < min(loss(output.temperature * f) for f in (0.99, 1.01))


def test_thresholds_tell_validation_labels_apart(
    bundle: Bundle, trained: RunFolder, many: Path
) -> None:
    found = pytorch_logits(trained, many, Split.VAL)[MULTI]
    output = bundle.manifest.output(MULTI)
    assert output is not None
    held = found.targets.astype(bool)
    right = (expit(found.scores) >= np.asarray(output.thresholds)) == held
    assert right.all()  # the colours are easy: ranked without a fault
    assert not ((expit(found.scores) >= 0.5) == held).all()


def test_figures_are_of_the_test_split_in_both_precisions(bundle: Bundle, many: Path) -> None:
    found = {(each.output, each.precision): each for each in bundle.manifest.evaluations}
    assert found.keys() == {(kind, precision) for kind in LabelKind for precision in Precision}
    assert {each.split for each in found.values()} == {"test"}
    assert {each.images for each in found.values()} == {24}  # of 30, a fifth has no such label


def test_figures_are_those_of_the_graph(bundle: Bundle, trained: RunFolder, many: Path) -> None:
    session = Session.open(bundle)
    images = TrainedRun.open(trained.path, many).images(Split.TEST)
    (batch,) = load(images, InOrder(30, 30), {SINGLE: bundle.manifest.outputs[0].labels}, workers=0)
    shown = batch.present[SINGLE].numpy()
    tops = session.run(batch.images.numpy())["single"].argmax(axis=1)
    right = tops[shown] == batch.targets[SINGLE].numpy()[shown]
    evaluation = next(e for e in bundle.manifest.evaluations if e.output is SINGLE)
    assert evaluation.metrics["top1"] == right.mean()


def test_lineage_is_complete(bundle: Bundle, trained: RunFolder, many: Path) -> None:
    source = bundle.manifest.lineage
    card = json.loads((many / "colours" / "dataset.json").read_text())
    (dataset,) = source.datasets
    assert (dataset.name, dataset.digest) == ("colours", card["digest"])
    assert dataset.terms == "Generated; free for any use."
    assert source.config == trained.config().model_dump(mode="json")
    weights = hashlib.sha256(trained.best_weights.read_bytes()).hexdigest()
    assert source.weights_sha256 == weights
    assert (source.backbone, source.parents) == ("resnet18", ("resnet18: random weights",))
    commit = r"(\+g[0-9a-f]{12}(\.dirty)?)?"
    assert re.fullmatch(re.escape(version("sentiscope")) + commit, source.code_version)


def test_alias_points_to_the_export(export_run: RunFolder) -> None:
    registry = Registry(export_run.path.parent / "models")
    assert registry.aliases("tiny") == {"production": "1"}


def test_card_opens_with_the_notes(bundle: Bundle) -> None:
    assert bundle.card().startswith("# tiny, version 1\n\nTells *colours* apart.\n\n")


def test_second_export_makes_version_2_and_leaves_version_1(second: Second, bundle: Bundle) -> None:
    assert second.results["version"] == "2"
    assert second.registry.versions("tiny") == ("1", "2")
    assert second.registry.open("tiny@1").digest == bundle.digest


def test_only_the_alias_that_was_asked_for_moves(second: Second) -> None:
    assert second.registry.aliases("tiny") == {"candidate": "2", "production": "1"}


def test_int8_that_fails_its_gate_is_not_shipped(second: Second) -> None:
    manifest = second.bundle.manifest
    gate = manifest.gates[-1]
    assert (gate.name, gate.passed) == ("int8", False)
    assert gate.measured["single.mean_kl"] > 0.01
    assert [graph.precision for graph in manifest.graphs] == [Precision.FP32]
    assert {each.precision for each in manifest.evaluations} == {Precision.FP32}
    assert not (second.bundle.path / "model.int8.onnx").exists()


def test_card_says_that_int8_failed(second: Second) -> None:
    card = second.bundle.card()
    assert "- `int8` failed: single.mean_kl " in card
    assert "- This bundle ships float32 alone." in card
    assert "| metric | fp32 |\n" in card


@pytest.fixture
def killed(export_run: RunFolder, trained: RunFolder, tmp_path: Path) -> RunFolder:
    """An export that was killed between its version and its results, its alias not yet moved."""
    folder = tmp_path / "exported"
    shutil.copytree(export_run.path.parent, folder)
    run = RunFolder(folder / export_run.path.name)
    run.results_file.unlink()
    (folder / "models" / "tiny" / "aliases.json").unlink()
    config = export_run.config().model_copy(update={"registry": folder / "models"})
    (run.path / "config.json").write_text(config.model_dump_json())
    return run


def test_an_export_that_is_started_again_makes_no_second_version(
    killed: RunFolder, many: Path, bundle: Bundle
) -> None:
    results = launch(killed, datasets_root=many)
    assert results["digest"] == f"sha256:{bundle.digest}"
    registry = Registry(killed.path.parent / "models", shipped=killed.path.parent / "none")
    assert registry.versions("tiny") == ("1",)
    assert registry.aliases("tiny") == {"production": "1"}


def test_a_version_of_another_export_is_not_taken_for_its_own(
    killed: RunFolder, bundle: Bundle
) -> None:
    sha256 = bundle.manifest.lineage.weights_sha256
    registry = Registry(killed.path.parent / "models", shipped=killed.path.parent / "none")
    assert published(killed, registry, weights_sha256=sha256) is not None
    assert published(killed, registry, weights_sha256="0" * 64) is None
    replace(Publication.of(bundle), digest="0" * 64).note(killed)
    assert published(killed, registry, weights_sha256=sha256) is None
    assert published(RunFolder(killed.path.parent), registry, weights_sha256=sha256) is None


def test_failed_float32_gate_publishes_nothing(
    trained: RunFolder, many: Path, tmp_path: Path
) -> None:
    noisy = altered(trained, tmp_path / "noisy", make_logits_of_rounding_errors)
    with pytest.raises(GateFailed, match=r"fp32_parity: measured \{'single\.batch_1': .*limits"):
        export_to(tmp_path, many, noisy)
    assert_nothing_published(tmp_path)


def test_missing_notes_are_refused_before_the_work(
    trained: RunFolder, many: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotesUnreadable, match=r"none\.md cannot be read"):
        export_to(tmp_path, many, trained.path, notes=tmp_path / "none.md")
    assert stages(RunFolder(tmp_path / "run")) == []
    assert not (tmp_path / "models").exists()


def test_data_without_a_test_split_is_refused_before_the_work(
    trained: RunFolder, tmp_path: Path
) -> None:
    root = write_colours(tmp_path / "data", train=3, val=3, test=0)
    with pytest.raises(NoSamples, match="no sample in their test split"):
        export_to(tmp_path, root, trained.path)
    assert stages(RunFolder(tmp_path / "run")) == []


def test_run_without_weights_is_refused(many: Path, tmp_path: Path) -> None:
    untrained = RunFolder(tmp_path / "untrained")
    untrained.prepare(finetune_config())
    with pytest.raises(NotTrained, match=r"no best\.safetensors yet: finish its training"):
        export_to(tmp_path, many, untrained.path)
    assert not (tmp_path / "models").exists()


def test_sigterm_inside_pytorchs_exporter_ends_the_export(
    trained: RunFolder, many: Path, tmp_path: Path
) -> None:
    def interrupt(module: torch.nn.Module, inputs: Any) -> None:
        if isinstance(module, ExportedNetwork):
            os.kill(os.getpid(), signal.SIGTERM)

    hook = register_module_forward_pre_hook(interrupt)
    try:
        with pytest.raises(Stopped, match="start over"):
            export_to(tmp_path, many, trained.path)
    finally:
        hook.remove()
    assert_nothing_published(tmp_path)


def test_process_that_gets_sigterm_half_way_leaves_nothing_and_says_so(
    trained: RunFolder, many: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    run.prepare(export_config(trained.path, tmp_path))
    process = started(run, many)
    wait_until(lambda: "checking the float32 graph against PyTorch" in stages(run), process)
    process.terminate()
    said = process.communicate(timeout=100)[1]
    assert process.returncode == 75
    assert said == "stopped; run the same command again to start over\n"
    assert_nothing_published(tmp_path)
