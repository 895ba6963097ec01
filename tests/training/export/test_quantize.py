"""The INT8 graph: what is quantised, how, and what is not."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy.special import softmax

from models.manifest import Output
from tests.training.export.random_networks import (
    LABELS,
    SPEC,
    TEMPERATURE,
    outputs_of,
    random_images,
    random_network,
)
from training.config.backbone import BackboneName
from training.export.graph import export_graph
from training.export.quantize import (
    CalibrationImages,
    HeadsNotFound,
    head_nodes,
    quantize_backbone,
)

MAPS = ["single_map", "multi_map", "distribution_map"]
QDQ = {"QuantizeLinear", "DequantizeLinear"}


@dataclass(frozen=True, slots=True)
class Quantized:
    """Both graphs of a random ResNet-18."""

    fp32: Path
    int8: Path
    outputs: tuple[Output, ...]

    @property
    def graph(self) -> Any:
        """The INT8 graph."""
        return onnx.load(self.int8).graph


@pytest.fixture(scope="module")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> Quantized:
    folder = tmp_path_factory.mktemp("quantized")
    network = random_network(BackboneName.RESNET18)
    outputs = outputs_of(network)
    made = Quantized(folder / "model.onnx", folder / "model.int8.onnx", outputs)
    export_graph(network, outputs, preprocessing=SPEC, path=made.fp32)
    images = [random_images(4).numpy(), random_images(8).numpy()[4:]]
    quantize_backbone(made.fp32, made.int8, outputs=outputs, images=images)
    return made


def makers(graph: Any) -> dict[str, Any]:
    """The node that makes each value."""
    return {name: node for node in graph.node for name in node.output}


def weights(graph: Any) -> dict[str, NDArray[Any]]:
    """Initializers by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def run(path: Path, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    session = ort.InferenceSession(str(path))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": images}), strict=True))


def test_every_convolution_of_the_backbone_has_signed_weights_a_channel(
    quantized: Quantized,
) -> None:
    graph, found = quantized.graph, []
    stored, maker = weights(graph), makers(graph)
    for node in graph.node:
        if node.op_type != "Conv" or node.output[0] in MAPS:
            continue
        dequantized = maker[node.input[1]]
        weight, scale, zero = (stored[name] for name in dequantized.input)
        assert {weight.dtype, zero.dtype} == {np.dtype(np.int8)}
        assert scale.shape == zero.shape == weight.shape[:1]
        assert not zero.any()
        found.append(node.name)
    assert len(found) == 20  # 17 of ResNet-18's name, 3 in its shortcuts


def test_every_activation_is_unsigned(quantized: Quantized) -> None:
    graph = quantized.graph
    stored = weights(graph)
    zeros = [stored[node.input[2]] for node in graph.node if node.op_type == "QuantizeLinear"]
    assert zeros
    assert {(zero.dtype, zero.shape) for zero in zeros} == {(np.dtype(np.uint8), ())}


def test_head_pooling_and_scores_stay_float32(quantized: Quantized) -> None:
    graph = quantized.graph
    stored, maker = weights(graph), makers(graph)
    after = {node.name for node in graph.node if node.name in head_nodes(graph, set(MAPS))}
    assert {node.op_type for node in graph.node if node.name in after} & QDQ == set()
    for name in MAPS:
        assert maker[name].op_type == "Conv"
        assert stored[maker[name].input[1]].dtype == np.float32


def test_mean_of_a_map_plus_the_bias_is_the_logit_in_int8_too(quantized: Quantized) -> None:
    found = run(quantized.int8, random_images(5).numpy())
    single = quantized.outputs[0]
    logits = found["single_map"].mean(axis=(2, 3)) + np.asarray(single.bias)
    np.testing.assert_allclose(
        found["single"], softmax(logits / TEMPERATURE, axis=1), rtol=0, atol=1e-6
    )


def test_int8_is_near_float32_and_not_the_same(quantized: Quantized) -> None:
    images = random_images(5).numpy()
    fp32, int8 = run(quantized.fp32, images), run(quantized.int8, images)
    for kind in ("single", "multi", "distribution"):
        difference = np.abs(fp32[kind] - int8[kind]).max()
        assert 1e-6 < difference < 0.1


def test_int8_takes_about_a_quarter_of_the_bytes(quantized: Quantized) -> None:
    assert quantized.int8.stat().st_size < 0.27 * quantized.fp32.stat().st_size


def test_batch_axis_stays_free(quantized: Quantized) -> None:
    found = run(quantized.int8, random_images(5).numpy())
    alone = run(quantized.int8, random_images(5).numpy()[:1])
    assert found["single"].shape == (5, len(LABELS))
    np.testing.assert_allclose(alone["single"], found["single"][:1], rtol=0, atol=1e-4)


def test_float32_graph_is_left_as_it_was(quantized: Quantized) -> None:
    assert QDQ.isdisjoint(node.op_type for node in onnx.load(quantized.fp32).graph.node)
    assert sorted(quantized.fp32.parent.iterdir()) == sorted([quantized.fp32, quantized.int8])


def _branching() -> Any:
    """image -> a -> b -> single_map -> mean -> single, and b -> c, of which no head depends."""
    edges = [
        ("a", "image", "a_out"),
        ("b", "a_out", "b_out"),
        ("map", "b_out", "single_map"),
        ("c", "b_out", "c_out"),
        ("mean", "single_map", "mean_out"),
        ("softmax", "mean_out", "single"),
    ]
    nodes = [helper.make_node("Relu", [source], [made], name=name) for name, source, made in edges]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("image", "single")
    ]
    return helper.make_graph(nodes, "branching", values[:1], values[1:])


def test_head_nodes_are_the_maps_and_all_that_depends_on_them() -> None:
    assert head_nodes(_branching(), {"single_map"}) == ["map", "mean", "softmax"]


def test_graph_without_the_maps_is_refused() -> None:
    with pytest.raises(HeadsNotFound, match=r"no node makes \['multi_map'\]"):
        head_nodes(_branching(), {"multi_map"})


def test_calibration_is_fed_every_batch_once() -> None:
    first, second = random_images(2).numpy(), random_images(1).numpy()
    reader = CalibrationImages([first, second])
    fed = [reader.get_next(), reader.get_next()]
    assert [batch and list(batch) for batch in fed] == [["image"], ["image"]]
    assert fed[0] is not None
    assert fed[0]["image"] is first
    assert reader.get_next() is None


def test_logging_works_again_afterwards(quantized: Quantized) -> None:
    assert logging.root.manager.disable < logging.WARNING
