from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from models.labels import LabelKind
from models.manifest import (
    ALIAS_PATTERN,
    NAME_PATTERN,
    VERSION_PATTERN,
    DatasetLineage,
    Evaluation,
    Gate,
    GraphFile,
    Lineage,
    Manifest,
    Output,
    Precision,
    matches,
)
from tests.tiny_bundle import COLOURS, KINDS, tiny_outputs, write_tiny_bundle

BAD_NAMES = ["", "A", "../x", "a/b", "a\\b", "/etc", ".hidden", "-a", "a b", "a@1", "a\n", "é"]
BAD_VERSIONS = ["", "0", "01", "-1", "+1", "1.0", "v1", "1\n", " 1", "1234567890", "1/2", "\u0661"]
BAD_ALIASES = ["", "1", "2nd", "A", "a.b", "a/b", "../x", "-a", "_a", "a@b", "a\n", "a b"]


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return write_tiny_bundle(tmp_path / "1")


def _changed(model: Any, **changes: Any) -> Any:
    """The same kind of thing with some fields replaced, and validated anew."""
    return type(model).model_validate({**dict(model), **changes})


def _graph(**changes: Any) -> GraphFile:
    fields = {"precision": "fp32", "file": "model.onnx", "sha256": "0" * 64, "size": 1}
    return GraphFile.model_validate({**fields, **changes})


def test_manifest_survives_json_unchanged(manifest: Manifest) -> None:
    full: Manifest = _changed(
        manifest,
        evaluations=(
            Evaluation(
                output=LabelKind.SINGLE,
                dataset="fi",
                split="test",
                protocol="one crop",
                images=3,
                metrics={"accuracy": 1 / 3},
            ),
        ),
        gates=(Gate(name="parity", passed=True, measured={"kl": 0.1}, limits={"kl": 1e-4}),),
        lineage=Lineage(
            code_version="abc",
            backbone="resnet50",
            config={"epochs": 3, "sizes": [1, 2], "deep": {"x": None}},
            datasets=(DatasetLineage(name="fi", digest="sha256:1", terms="research only"),),
            weights_sha256="f" * 64,
            parents=("imagenet",),
            jobs=("j1",),
        ),
    )
    assert Manifest.model_validate_json(full.model_dump_json()) == full
    assert Manifest.model_validate_json(manifest.model_dump_json(indent=2)) == manifest


def test_a_gate_that_measured_no_number_survives_json() -> None:
    measured = {"worst": float("inf"), "kl": float("nan")}
    gate = Gate(name="int8", passed=False, measured=measured, limits={"kl": 0.01})
    found = Gate.model_validate_json(gate.model_dump_json())
    assert found.measured == pytest.approx(measured, nan_ok=True)


def test_manifest_and_its_parts_are_frozen(manifest: Manifest) -> None:
    parts = [manifest, *manifest.outputs, *manifest.graphs, manifest.lineage]
    for part in [*parts, manifest.preprocessing, manifest.outputs[0].labels]:
        field = next(iter(type(part).model_fields))
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, field, getattr(part, field))


@pytest.mark.parametrize("part", ["outputs", "graphs", "lineage", "preprocessing", None])
def test_unknown_fields_are_refused_at_every_depth(manifest: Manifest, part: str | None) -> None:
    raw = manifest.model_dump(mode="json")
    place = raw if part is None else raw[part]
    (place[0] if isinstance(place, list) else place)["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise\n  Extra inputs"):
        Manifest.model_validate(raw)


def test_outputs_and_graphs_are_found_by_their_kind(manifest: Manifest) -> None:
    assert [getattr(manifest.output(kind), "kind", None) for kind in KINDS] == list(KINDS)
    assert manifest.graph(Precision.FP32) is manifest.graphs[0]
    assert manifest.graph(Precision.INT8) is None
    single: Manifest = _changed(manifest, outputs=tiny_outputs([LabelKind.SINGLE]))
    assert single.output(LabelKind.MULTI) is None


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_tensors_follow_from_the_kind(kind: LabelKind) -> None:
    (output,) = tiny_outputs([kind])
    assert (output.scores_name, output.map_name) == (kind.value, f"{kind.value}_map")


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("single", {"bias": (0.0, 0.0)}, "2 biases for 3 labels"),
        ("multi", {"thresholds": (0.5,)}, "1 thresholds for 3 labels"),
        ("multi", {"thresholds": None}, "multi outputs have thresholds, others have none"),
        ("single", {"thresholds": (0.5,) * 3}, "multi outputs have thresholds, others have none"),
        ("distribution", {"thresholds": (0.5,) * 3}, "others have none"),
        ("multi", {"thresholds": (0.5, 0.5, 1.0)}, "less than 1"),
        ("multi", {"thresholds": (0.5, 0.5, 0.0)}, "greater than 0"),
        ("single", {"temperature": 0.0}, "greater than 0"),
        ("single", {"temperature": float("inf")}, "finite"),
        ("single", {"kind": "regression"}, "'single', 'multi' or 'distribution'"),
    ],
)
def test_an_output_whose_parts_disagree_is_refused(
    kind: str, change: dict[str, Any], reason: str
) -> None:
    fields = {
        "kind": kind,
        "labels": COLOURS,
        "bias": (0.0, 0.0, 0.0),
        "thresholds": (0.5, 0.5, 0.5) if kind == "multi" else None,
    }
    assert Output.model_validate(fields).kind == kind
    with pytest.raises(ValidationError, match=reason):
        Output.model_validate({**fields, **change})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"outputs": ()}, "at least 1 item"),
        ({"outputs": tiny_outputs([LabelKind.MULTI, LabelKind.MULTI])}, "may have one output"),
        ({"graphs": ()}, "at least 1 item"),
        ({"graphs": (_graph(precision="int8"),)}, "a bundle has one fp32 graph"),
        ({"graphs": (_graph(), _graph(file="b.onnx"))}, "a bundle has one fp32 graph"),
        ({"graphs": (_graph(), _graph(precision="int8"))}, "each graph has a file of its own"),
        ({"schema_version": 2}, "Input should be 1"),
        ({"created_at": datetime(2026, 1, 1)}, "timezone"),
        ({"card_sha256": "ABC"}, "should match pattern"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_a_manifest_whose_parts_disagree_is_refused(
    manifest: Manifest, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        _changed(manifest, **change)


def test_two_graphs_of_two_precisions_are_allowed(manifest: Manifest) -> None:
    int8 = _graph(precision="int8", file="model.int8.onnx")
    found: Manifest = _changed(manifest, graphs=(*manifest.graphs, int8))
    assert found.graph(Precision.INT8) == int8


@pytest.mark.parametrize(
    "file", ["../model.onnx", "a/b.onnx", "/model.onnx", ".onnx", ".m.onnx", "m.onnx.data", "m", ""]
)
def test_a_graph_lies_in_the_bundle_itself(file: str) -> None:
    with pytest.raises(ValidationError, match="should match pattern"):
        _graph(file=file)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_is_a_number(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Evaluation(
            output=LabelKind.SINGLE,
            dataset="fi",
            split="test",
            protocol="one crop",
            images=3,
            metrics={"accuracy": value},
        )


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused(manifest: Manifest, name: str) -> None:
    assert not matches(NAME_PATTERN, name)
    with pytest.raises(ValidationError, match="name\n"):
        _changed(manifest, name=name)


@pytest.mark.parametrize("version", BAD_VERSIONS)
def test_bad_versions_are_refused(manifest: Manifest, version: str) -> None:
    assert not matches(VERSION_PATTERN, version)
    with pytest.raises(ValidationError, match="version\n"):
        _changed(manifest, version=version)


@pytest.mark.parametrize("alias", BAD_ALIASES)
def test_bad_aliases_are_refused(alias: str) -> None:
    assert not matches(ALIAS_PATTERN, alias)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (NAME_PATTERN, "resnet50_v1.5-b"),
        (NAME_PATTERN, "0" * 64),
        (VERSION_PATTERN, "1"),
        (VERSION_PATTERN, "999999999"),
        (ALIAS_PATTERN, "production"),
        (ALIAS_PATTERN, "a-1_b"),
    ],
)
def test_names_versions_and_aliases_match_and_forgive_no_line_end(pattern: str, text: str) -> None:
    assert matches(pattern, text)
    assert not matches(pattern, f"{text}\n")
    assert not matches(pattern, f"\n{text}")
