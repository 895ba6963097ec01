"""A bundle whose answers can be worked out by hand: the maps of red, green and blue are the image.

With mean 0 and std 1 the map of a label is its colour channel averaged over 8x8 pixels, the logit
is the channel's mean (in [0, 1]) plus the bias, which is 0 unless a test gives another.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from models.bundle import CARD, file_sha256, write_manifest
from models.labels import LabelKind, LabelSet
from models.manifest import (
    INPUT_NAME,
    GraphFile,
    LabelThreshold,
    Lineage,
    Manifest,
    Output,
    Precision,
)
from models.preprocessing import Preprocessing

COLOURS = LabelSet(names=("red", "green", "blue"))
SETS = (LabelThreshold(coverage=0.9, threshold=0.3), LabelThreshold(coverage=0.5, threshold=0.95))
SIDE = 16
SPEC = Preprocessing(size=SIDE, mean=(0, 0, 0), std=(1, 1, 1))
KINDS = (LabelKind.SINGLE, LabelKind.MULTI, LabelKind.DISTRIBUTION)

_ACTIVATIONS = {
    LabelKind.SINGLE: "Softmax",
    LabelKind.MULTI: "Sigmoid",
    LabelKind.DISTRIBUTION: "Softmax",
}


def tiny_outputs(
    kinds: Sequence[LabelKind] = KINDS, *, bias: tuple[float, ...] = (0.0, 0.0, 0.0)
) -> tuple[Output, ...]:
    """One output a kind over the three colours; multi thresholds are 0.6, label sets SETS."""
    return tuple(
        Output(
            kind=kind,
            labels=COLOURS,
            bias=bias,
            thresholds=(0.6, 0.6, 0.6) if kind is LabelKind.MULTI else None,
            label_sets=SETS if kind is LabelKind.SINGLE else (),
        )
        for kind in kinds
    )


def tiny_graph(outputs: Sequence[Output], *, side: int = SIDE) -> onnx.ModelProto:
    """The graph: average pooling, a map a head, its mean plus the bias, the activation."""
    cells = side // 8
    nodes = [
        helper.make_node(
            "AveragePool", [INPUT_NAME], ["features"], kernel_shape=[8, 8], strides=[8, 8]
        )
    ]
    values = [helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])]
    made = []
    for head in outputs:
        name, logits = head.scores_name, f"{head.scores_name}_logits"
        values.append(helper.make_tensor(f"{name}_bias", TensorProto.FLOAT, [3], head.bias))
        activation: dict[str, Any] = {} if head.kind is LabelKind.MULTI else {"axis": 1}
        nodes += [
            helper.make_node("Identity", ["features"], [head.map_name]),
            helper.make_node("ReduceMean", [head.map_name, "axes"], [f"{name}_mean"], keepdims=0),
            helper.make_node("Add", [f"{name}_mean", f"{name}_bias"], [logits]),
            helper.make_node(_ACTIVATIONS[head.kind], [logits], [name], **activation),
        ]
        made += [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]),
            helper.make_tensor_value_info(
                head.map_name, TensorProto.FLOAT, ["batch", 3, cells, cells]
            ),
        ]
    image = helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["batch", 3, side, side])
    graph = helper.make_graph(nodes, "tiny", [image], made, values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write_tiny_bundle(
    folder: Path,
    *,
    name: str = "tiny",
    version: str = "1",
    outputs: Sequence[Output] | None = None,
    graph: onnx.ModelProto | None = None,
) -> Manifest:
    """Fill `folder` (made when it is not there) with a valid bundle; returns its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    heads = tiny_outputs() if outputs is None else tuple(outputs)
    file = folder / "model.onnx"
    onnx.save(tiny_graph(heads) if graph is None else graph, file)
    (folder / CARD).write_text(f"# {name}\n\nTells red, green and blue apart.\n", encoding="utf-8")
    manifest = Manifest(
        name=name,
        version=version,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        outputs=heads,
        preprocessing=SPEC,
        graphs=(
            GraphFile(
                precision=Precision.FP32,
                file=file.name,
                sha256=file_sha256(file),
                size=file.stat().st_size,
            ),
        ),
        card_sha256=file_sha256(folder / CARD),
        lineage=Lineage(
            code_version="test", backbone="none", config={}, datasets=(), weights_sha256="0" * 64
        ),
    )
    write_manifest(folder, manifest)
    return manifest


def tiny_writer(name: str) -> Callable[[Path, str], None]:
    """What `Registry.publish` calls to make a version of a tiny model."""

    def write(folder: Path, version: str) -> None:
        write_tiny_bundle(folder, name=name, version=version)

    return write
