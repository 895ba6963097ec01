"""Bundles whose speed is right and whose scores are of no use."""

import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image

from bench.serving.photos import photos
from models.bundle import Bundle
from models.manifest import Output, Precision
from models.preprocessing import preprocess
from models.registry import Registry
from training.backbone import build_backbone
from training.config.backbone import BackboneConfig, BackboneName
from training.export.draft import Draft
from training.export.graph import export_graph
from training.export.quantize import quantize_backbone
from training.network import SentimentNetwork

_REGISTRY = Registry(Path("var/bench/models"), shipped=Path("var/bench/none"))


def quantised(bundle: Bundle) -> Bundle:
    """A copy of `bundle` whose INT8 graph was calibrated on five photos."""

    def write(draft: Draft) -> None:
        shutil.copy(bundle.graph_path(Precision.FP32), draft.graph_path(Precision.FP32))

    return _made(f"{bundle.manifest.name}-{bundle.digest[:8]}", bundle, write)


def random_network(backbone: BackboneName, *, like: Bundle) -> Bundle:
    """A network of random weights, with the outputs and the pre-processing of `like`."""

    def write(draft: Draft) -> None:
        label_sets = {output.kind: output.labels for output in draft.outputs}
        built = build_backbone(BackboneConfig(name=backbone))
        network = SentimentNetwork(built, label_sets, dropout=0.0)
        path = draft.graph_path(Precision.FP32)
        export_graph(network, draft.outputs, preprocessing=draft.preprocessing, path=path)

    return _made(f"{backbone}-{like.digest[:8]}", like, write)


def _made(name: str, like: Bundle, write_fp32: Callable[[Draft], None]) -> Bundle:
    """The bundle `name`, written if it was not yet."""
    if name in _REGISTRY.names():
        return _REGISTRY.open(f"{name}@1")
    spec = like.manifest.preprocessing
    outputs: tuple[Output, ...] = like.manifest.outputs

    def write(folder: Path, version: str) -> None:
        draft = Draft(folder, name, version, outputs, spec, like.manifest.lineage)
        write_fp32(draft)
        quantize_backbone(
            draft.graph_path(Precision.FP32),
            draft.graph_path(Precision.INT8),
            outputs=outputs,
            images=[preprocess(Image.open(BytesIO(photo)), spec)[None] for photo in photos()],
        )
        draft.write(notes="Made for the bench.", gates=(), evaluations=())

    return _REGISTRY.publish(name, write)
