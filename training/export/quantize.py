"""Static INT8 of the backbone alone; heads, pooling and maps stay float32.

Quantising the heads too would break the identity that a map's mean plus the bias is the logit.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.manifest import INPUT_NAME, Output
from training.errors import TrainingError


class HeadsNotFound(TrainingError):
    """The graph has no node that makes a head's map."""


class CalibrationImages(CalibrationDataReader):  # type: ignore[misc]
    """Feeds pre-processed images B,3,H,W to the calibration, batch by batch."""

    def __init__(self, batches: Sequence[NDArray[np.float32]]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch by input name; None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT_NAME: batch}


def quantize_backbone(
    source: Path,
    target: Path,
    *,
    outputs: Sequence[Output],
    images: Sequence[NDArray[np.float32]],
    float_share: float = 0.0,
) -> None:
    """Write `source` with its backbone in INT8 (QDQ; U8 activations, S8 weights a channel).

    The first `float_share` of the convolutions stay float32: errors of the first layers, with few
    channels and the whole picture still to come, cost the most.
    """
    with tempfile.TemporaryDirectory() as folder, _quiet_logging():
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        quantize_static(
            prepared,
            target,
            CalibrationImages(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=[
                *leading_nodes(graph, float_share),
                *head_nodes(graph, {output.map_name for output in outputs}),
            ],
            extra_options={"CalibMovingAverage": True},
        )


def leading_nodes(graph: Any, share: float) -> list[str]:
    """Names of the nodes before all but the first `share` of the convolutions."""
    nodes = list(graph.node)  # in topological order, as ONNX demands
    convolutions = [at for at, node in enumerate(nodes) if node.op_type == "Conv"]
    kept = round(share * len(convolutions))
    return [node.name for node in nodes[: convolutions[kept]]] if kept else []


def head_nodes(graph: Any, map_names: set[str]) -> list[str]:
    """Names of the nodes that make the maps, and of all that depend on them."""
    found: list[str] = []
    tainted: set[str] = set()
    for node in graph.node:  # in topological order, as ONNX demands
        if map_names & set(node.output) or tainted & set(node.input):
            tainted.update(node.output)
            found.append(node.name)
    if not found:
        raise HeadsNotFound(f"no node makes {sorted(map_names)}")
    return found


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """ONNX Runtime's quantiser warns through the root logger about what was done on purpose."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
