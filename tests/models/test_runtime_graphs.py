"""Graphs whose checksums are right and that are still not the graph of their manifest."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from models.bundle import BrokenBundle, Bundle, file_sha256, write_manifest
from models.runtime import Session
from tests.tiny_bundle import tiny_graph, tiny_outputs, write_tiny_bundle


def _refusal(folder: Path) -> str:
    """Why the graph of the bundle, which itself is whole, is refused."""
    bundle = Bundle.open(folder)
    with pytest.raises(BrokenBundle) as caught:
        Session.open(bundle, threads=1)
    message = str(caught.value)
    assert message.startswith("tiny@1: ")
    assert "model.onnx" in message
    assert str(folder.parent) not in message
    return message


def _dimensions(graph: onnx.ModelProto, name: str) -> Any:
    (found,) = (v for v in (*graph.graph.input, *graph.graph.output) if v.name == name)
    return found.type.tensor_type.shape.dim


def _freeze_batch(graph: onnx.ModelProto) -> None:
    for value in (*graph.graph.input, *graph.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1


def _free_sides(graph: onnx.ModelProto) -> None:
    for axis, name in ((2, "height"), (3, "width")):
        _dimensions(graph, "image")[axis].dim_param = name
        for kind in ("single", "multi", "distribution"):
            _dimensions(graph, f"{kind}_map")[axis].dim_param = f"map_{name}"


def _rename_input(graph: onnx.ModelProto) -> None:
    graph.graph.input[0].name = graph.graph.node[0].input[0] = "pixels"


def _drop(name: str) -> Callable[[onnx.ModelProto], None]:
    def change(graph: onnx.ModelProto) -> None:
        (found,) = (value for value in graph.graph.output if value.name == name)
        graph.graph.output.remove(found)

    return change


def _redone(name: str, kind: str, shape: list[Any], **attributes: Any) -> Any:
    """Let one more node of `kind` make the output `name`."""

    def change(graph: onnx.ModelProto) -> None:
        (maker,) = (node for node in graph.graph.node if name in node.output)
        maker.output[0] = f"{name}_before"
        for node in graph.graph.node:
            node.input[:] = [f"{name}_before" if i == name else i for i in node.input]
        graph.graph.node.append(helper.make_node(kind, [f"{name}_before"], [name], **attributes))
        (found,) = (value for value in graph.graph.output if value.name == name)
        double = attributes.get("to", TensorProto.FLOAT)
        found.CopyFrom(helper.make_tensor_value_info(name, double, shape))

    return change


def _ask_for_more(graph: onnx.ModelProto) -> None:
    graph.graph.input.append(helper.make_tensor_value_info("size", TensorProto.FLOAT, ["n"]))


MAP = ["batch", 3, 2, 2]
FAULTS: dict[str, tuple[Callable[[onnx.ModelProto], None], str]] = {
    "batch frozen": (_freeze_batch, "'image' in model.onnx is tensor(float) of shape [1, 3, 16"),
    "sides free": (_free_sides, "'image' in model.onnx is tensor(float) of shape ['batch', 3, 'h"),
    "input renamed": (_rename_input, "has no tensor 'image', only ['pixels']"),
    "input more": (_ask_for_more, "has the inputs ['image', 'size'], expected 'image' alone"),
    "scores missing": (_drop("multi"), "has no tensor 'multi', only ["),
    "map missing": (_drop("single_map"), "has no tensor 'single_map', only ["),
    "scores double": (
        _redone("single", "Cast", ["batch", 3], to=TensorProto.DOUBLE),
        "'single' in model.onnx is tensor(double) of shape ['batch', 3], expected tensor(float)",
    ),
    "map double": (
        _redone("multi_map", "Cast", MAP, to=TensorProto.DOUBLE),
        "'multi_map' in model.onnx is tensor(double)",
    ),
    "labels last": (
        _redone("multi_map", "Transpose", ["batch", 2, 2, 3], perm=[0, 2, 3, 1]),
        "'multi_map' in model.onnx is tensor(float) of shape ['batch', 2, 2, 3], expected",
    ),
    "scores joined": (
        _redone("single", "Transpose", [3, "batch"], perm=[1, 0]),
        "'single' in model.onnx is tensor(float) of shape [3, 'batch'], expected tensor(float) of "
        "['batch', 3]",
    ),
    "map of one axis less": (
        _redone("multi_map", "Flatten", ["batch", 12]),
        "'multi_map' in model.onnx is tensor(float) of shape ['batch', 12]",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_graph_that_is_not_the_manifests_is_refused_with_the_tensor(
    tmp_path: Path, fault: str
) -> None:
    change, reason = FAULTS[fault]
    graph = tiny_graph(tiny_outputs())
    change(graph)
    onnx.checker.check_model(graph)
    write_tiny_bundle(tmp_path / "1", graph=graph)
    assert reason in _refusal(tmp_path / "1")


def test_a_graph_for_larger_images_is_refused(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "1", graph=tiny_graph(tiny_outputs(), side=24))
    message = _refusal(tmp_path / "1")
    assert "'image' in model.onnx is tensor(float) of shape ['batch', 3, 24, 24]" in message
    assert message.endswith("expected tensor(float) of ['batch', 3, 16, 16]")


def test_a_graph_of_fewer_labels_than_the_manifest_is_refused(tmp_path: Path) -> None:
    graph = tiny_graph(tiny_outputs())
    outputs = [
        output.model_copy(
            update={
                "labels": output.labels.model_copy(update={"names": ("red", "green")}),
                "bias": (0.0, 0.0),
                "thresholds": output.thresholds and output.thresholds[:2],
            }
        )
        for output in tiny_outputs()
    ]
    write_tiny_bundle(tmp_path / "1", outputs=outputs, graph=graph)
    assert "'single' in model.onnx" in _refusal(tmp_path / "1")
    assert "of shape ['batch', 3], expected tensor(float) of ['batch', 2]" in _refusal(
        tmp_path / "1"
    )


@pytest.mark.parametrize("content", [b"garbage" * 40, b"\x00", b"\x08\x09"])
def test_bytes_that_are_no_graph_are_refused(tmp_path: Path, content: bytes) -> None:
    manifest = write_tiny_bundle(tmp_path / "1")
    file = tmp_path / "1" / "model.onnx"
    file.write_bytes(content)
    update = {"sha256": file_sha256(file), "size": len(content)}
    graphs = (manifest.graphs[0].model_copy(update=update),)
    write_manifest(tmp_path / "1", manifest.model_copy(update={"graphs": graphs}))
    assert _refusal(tmp_path / "1")


def test_an_operator_that_onnx_runtime_lacks_is_named(tmp_path: Path) -> None:
    graph = tiny_graph(tiny_outputs())
    graph.graph.node[0].op_type = "Telepathy"
    write_tiny_bundle(tmp_path / "1", graph=graph)
    message = _refusal(tmp_path / "1")
    assert re.search(r"ONNX Runtime cannot load model\.onnx: .*Telepathy", message)


def test_map_sides_may_be_free(tmp_path: Path) -> None:
    graph = tiny_graph(tiny_outputs())
    for axis, name in ((2, "height"), (3, "width")):
        _dimensions(graph, "single_map")[axis].dim_param = name
    write_tiny_bundle(tmp_path / "1", graph=graph)
    assert Session.open(Bundle.open(tmp_path / "1"), threads=1).output_names[0] == "single"


def test_weights_beside_the_graph_escape_no_checksum(tmp_path: Path) -> None:
    graph = tiny_graph(tiny_outputs())
    for tensor in graph.graph.initializer:
        if tensor.name.endswith("bias"):
            tensor.raw_data = b"\0" * 12
            tensor.ClearField("float_data")
    write_tiny_bundle(tmp_path / "1", graph=graph)
    manifest = write_tiny_bundle(tmp_path / "1")
    file = tmp_path / "1" / "model.onnx"
    onnx.save(graph, file, save_as_external_data=True, location="weights", size_threshold=0)
    update = {"sha256": file_sha256(file), "size": file.stat().st_size}
    graphs = (manifest.graphs[0].model_copy(update=update),)
    write_manifest(tmp_path / "1", manifest.model_copy(update={"graphs": graphs}))
    with pytest.raises(BrokenBundle, match="weights does not belong to it"):
        Bundle.open(tmp_path / "1")
    (tmp_path / "1" / "weights").unlink()
    _refusal(tmp_path / "1")
