"""Every backbone's exported graph beside PyTorch."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import expit, softmax

from models.labels import LabelKind
from models.manifest import Output
from tests.training.export.random_networks import (
    SIDE,
    SPEC,
    TEMPERATURE,
    outputs_of,
    random_images,
    random_network,
)
from tests.training.generated import ROOT
from training.config.backbone import BackboneName
from training.export.graph import export_graph, graph_names

IMAGES = random_images(5)


@dataclass(frozen=True, slots=True)
class Exported:
    """A graph on disk, and the logits of PyTorch for IMAGES."""

    path: Path
    outputs: tuple[Output, ...]
    logits: dict[LabelKind, NDArray[np.float32]]

    def run(self, images: torch.Tensor) -> dict[str, NDArray[np.float32]]:
        """Every output by name."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(str(self.path), options)
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, {"image": images.numpy()}), strict=True))


@pytest.fixture(scope="module", params=list(BackboneName))
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exported]:
    """One backbone after the other; the file is removed after its tests."""
    network = random_network(request.param)
    with torch.inference_mode():
        logits = {kind: part.numpy() for kind, part in network(IMAGES).logits.items()}
    outputs = outputs_of(network)
    path = tmp_path_factory.mktemp(request.param) / "model.onnx"
    export_graph(network.train(), outputs, preprocessing=SPEC, path=path)
    yield Exported(path, outputs, logits)
    path.unlink()


def test_graph_gives_pytorchs_probabilities_at_its_temperature(exported: Exported) -> None:
    found = exported.run(IMAGES)
    expected = {
        "single": softmax(exported.logits[LabelKind.SINGLE] / TEMPERATURE, axis=1),
        "multi": expit(exported.logits[LabelKind.MULTI]),
        "distribution": softmax(exported.logits[LabelKind.DISTRIBUTION] / TEMPERATURE, axis=1),
    }
    for name, scores in expected.items():
        assert scores.std(axis=0).max() > 1e-3  # the images are told apart
        np.testing.assert_allclose(found[name], scores, rtol=0, atol=1e-4)


def test_an_image_has_the_same_numbers_alone_and_in_any_batch(exported: Exported) -> None:
    together = exported.run(IMAGES)
    for size in (1, 2):
        for name, found in exported.run(IMAGES[:size]).items():
            expected = together[name][:size]
            scale = max(1.0, float(np.abs(expected).max()))
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * scale)


def test_mean_of_a_map_plus_the_bias_is_the_logit(exported: Exported) -> None:
    found = exported.run(IMAGES)
    for output in exported.outputs:
        activation_map, logits = found[output.map_name], exported.logits[output.kind]
        assert activation_map.shape[:2] == (5, 3)
        assert activation_map.std(axis=(2, 3)).min() > 1e-4  # its cells differ
        rebuilt = activation_map.mean(axis=(2, 3)) + np.asarray(output.bias)
        scale = float(np.abs(activation_map).max())
        np.testing.assert_allclose(rebuilt, logits, rtol=0, atol=1e-5 * scale)


def test_batch_axis_alone_is_free(exported: Exported) -> None:
    graph = onnx.load(exported.path).graph
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert list(shapes) == ["image", *graph_names(exported.outputs)]
    assert {shape.pop(0) for shape in shapes.values()} == {"batch"}
    assert shapes["image"] == [3, SIDE, SIDE]
    assert all(isinstance(size, int) and size for shape in shapes.values() for size in shape)


def test_file_names_no_path_of_this_machine(exported: Exported) -> None:
    model = onnx.load(exported.path)
    for initializer in model.graph.initializer:
        initializer.ClearField("raw_data")  # random bytes can spell anything
    said = model.SerializeToString()
    traces = (str(ROOT), str(Path.home()), str(Path(torch.__file__).parent), "site-packages", ".py")
    assert [trace for trace in traces if trace.encode() in said] == []
    assert list(exported.path.parent.iterdir()) == [exported.path]
