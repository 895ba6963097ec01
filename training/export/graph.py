"""A trained network as an ONNX graph: probabilities and class activation maps of every head."""

import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from models.labels import LabelKind
from models.manifest import INPUT_NAME, Output
from models.preprocessing import Preprocessing
from training.heads import LabelHead
from training.network import SentimentNetwork
from training.objectives import OBJECTIVES

_EXAMPLE_BATCH = 2
"""Two, because a batch axis of one can be dropped or broadcast without a trace of it."""

_BATCH = "batch"


class MapHead(nn.Module):
    """A label head as a 1x1 convolution, so that the logit is computed *from* the map."""

    def __init__(self, head: LabelHead, kind: LabelKind, *, temperature: float) -> None:
        super().__init__()
        labels, channels = head.linear.weight.shape
        self.map = nn.Conv2d(channels, labels, 1, bias=False)
        self.map.weight.data.copy_(head.linear.weight.data[:, :, None, None])
        self.bias = nn.Parameter(head.linear.bias.data.clone())
        self.temperature = temperature
        self._activation = OBJECTIVES[kind].activation

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities B,K and the class activation map B,K,h,w of feature maps B,C,h,w."""
        activation_map = self.map(features)
        logits = activation_map.mean(dim=(2, 3)) + self.bias
        return self._activation(logits / self.temperature), activation_map


class ExportedNetwork(nn.Module):
    """What the graph computes: all probabilities, then all maps, in the order of `outputs`."""

    def __init__(self, network: SentimentNetwork, outputs: tuple[Output, ...]) -> None:
        super().__init__()
        self.backbone = network.backbone
        self.heads = nn.ModuleList(
            MapHead(network.head(output.kind), output.kind, temperature=output.temperature)
            for output in outputs
        )

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Probabilities B,K and maps B,K,h,w of pre-processed images B,3,H,W."""
        features = self.backbone(image)[-1]
        made = [head(features) for head in self.heads]
        return (*(scores for scores, _ in made), *(maps for _, maps in made))


def graph_names(outputs: tuple[Output, ...]) -> list[str]:
    """Names of the graph's outputs, in order."""
    return [*(output.scores_name for output in outputs), *(o.map_name for o in outputs)]


def export_graph(
    network: SentimentNetwork,
    outputs: tuple[Output, ...],
    *,
    preprocessing: Preprocessing,
    path: Path,
) -> None:
    """Write the float32 graph with a free batch axis to `path`."""
    exported = ExportedNetwork(network, outputs).float().cpu().eval()
    example = torch.zeros(_EXAMPLE_BATCH, *preprocessing.input_shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations, release by release
        program = torch.onnx.export(
            exported,
            (example,),
            input_names=[INPUT_NAME],
            output_names=graph_names(outputs),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip_traces(model)
    _free_batch(model.graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _free_batch(graph: onnx.GraphProto) -> None:
    """Let the first axis of what goes in and comes out be of any length.

    No operator of ours names the length of the batch, and tracing with a symbol for it takes three
    times as long. The gates run the graph with other lengths.
    """
    del graph.value_info[:]  # of the example's batch
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = _BATCH


def _strip_traces(model: onnx.ModelProto) -> None:
    """Drop the exporter's metadata: it names source files and folders of this machine."""
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
        value.doc_string = ""
    for initializer in model.graph.initializer:
        del initializer.metadata_props[:]
        initializer.doc_string = ""
    del model.graph.metadata_props[:]
