"""Export a fine-tuned run: calibrate, write the graphs, pass the gates, score, publish."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.bundle import Bundle, file_sha256
from models.labels import LabelKind
from models.manifest import Evaluation, Gate, Precision
from models.registry import Registry
from models.runtime import Session
from training.bundle_evaluation import Scores, bundle_predictions, graph_scores
from training.compute import Compute
from training.config.publishing import ExportConfig
from training.data.canonical import Split
from training.data.labelled import Batch, LabelledImages, labelled_samples
from training.data.loading import InOrder, load
from training.errors import TrainingError
from training.evaluation import judge, predicted_logits, probabilities
from training.export.calibrate import calibrated_outputs
from training.export.draft import Draft
from training.export.gates import (
    PARITY_BATCH_SIZES,
    HeadMetric,
    demand,
    int8_gate,
    map_gate,
    parity_gate,
)
from training.export.graph import export_graph
from training.export.publication import Publication, published
from training.export.quantize import quantize_backbone
from training.objectives import OBJECTIVES
from training.provenance import lineage
from training.run import RunFolder
from training.scoring import score_bundle
from training.stages import Stages
from training.trained import TrainedRun

_BATCH_SIZE = 16

_SCORING_BEGINS = {Precision.FP32: 0.75, Precision.INT8: 0.9}
"""How much of an export is done then; scoring the float32 graph takes about twice as long."""

_FLOAT_SHARES = (0.0, 0.1, 0.25, 0.4)
"""Shares of the convolutions, from the first, that INT8 may leave in float32: the least that pass.

With half of them in float32 hardly anything would be gained.
"""


class NotesUnreadable(TrainingError):
    """The notes for the model card cannot be read."""


class Export:
    """One export, step by step; `write` fills the folder the registry offers."""

    def __init__(self, config: ExportConfig, trained: TrainedRun, *, run: RunFolder) -> None:
        self._config, self._trained, self._run = config, trained, run
        self._stages = Stages(run)
        self._compute = Compute.choose(config.compute)
        self._spec = trained.config.image.preprocessing()
        self._notes = _read_notes(config.notes)
        for dataset in trained.datasets:
            labelled_samples([dataset], Split.TEST)  # raises NoSamples now, and not at the end

    def write(self, folder: Path, version: str) -> None:
        """Fill `folder` with the whole bundle, or raise: GateFailed among others."""
        self._stages.begin("calibrating on validation data", fraction=0.0)
        val = self._loader(self._trained.images(Split.VAL))
        logits = predicted_logits(self._trained.network, val, compute=self._compute)
        outputs = calibrated_outputs(self._trained.network, logits)
        origin = lineage(self._trained, publisher=self._run)
        draft = Draft(folder, self._config.name, version, outputs, self._spec, origin)
        self._stages.begin("writing the float32 graph", fraction=0.1)
        network = self._trained.network
        fp32 = draft.graph_path(Precision.FP32)
        export_graph(network, outputs, preprocessing=self._spec, path=fp32)
        gates = self._check_fp32(draft)
        demand(gates)
        if self._config.int8:
            gates.append(self._add_int8(draft))
        evaluations = tuple(self._evaluations(draft))
        draft.write(notes=self._notes, gates=tuple(gates), evaluations=evaluations)
        Publication.of(Bundle.open(folder)).note(self._run)  # what was written is now published

    def _check_fp32(self, draft: Draft) -> list[Gate]:
        """Parity with PyTorch at several batch sizes, and the maps' identity."""
        self._stages.begin("checking the float32 graph against PyTorch", fraction=0.2)
        images = np.concatenate(list(self._pixels(Split.VAL, self._config.parity_images)))
        reference = self._reference(draft, images)
        session = draft.session(Precision.FP32)
        found = {size: _joined(session, images, size) for size in PARITY_BATCH_SIZES}
        names = session.output_names
        arrays = [session.run(part, names) for part in _parts(images, _BATCH_SIZE)]
        maps = {
            head.kind: np.concatenate([a[head.map_name] for a in arrays]).astype(np.float64)
            for head in draft.outputs
        }
        return [parity_gate(reference, found), map_gate(draft.outputs, found[1], maps)]

    def _reference(self, draft: Draft, images: NDArray[np.float32]) -> Scores:
        """PyTorch's probabilities in float32 on the CPU."""
        network = self._trained.network.float().cpu().eval()
        with torch.inference_mode():
            passes = [network(torch.from_numpy(p)).logits for p in _parts(images, _BATCH_SIZE)]
        return {
            head.kind: probabilities(
                head.kind,
                np.concatenate([logits[head.kind].double().numpy() for logits in passes])
                / head.temperature,
            )
            for head in draft.outputs
        }

    def _add_int8(self, draft: Draft) -> Gate:
        """Quantise as much of the backbone as its gate lets pass; if nothing, there is no graph."""
        images = list(self._pixels(Split.TRAIN, self._config.calibration_images))
        for share in _FLOAT_SHARES:
            self._stages.begin(
                f"quantising the backbone, its first {share:.0%} left in float32", fraction=0.3
            )
            quantize_backbone(
                draft.graph_path(Precision.FP32),
                draft.graph_path(Precision.INT8),
                outputs=draft.outputs,
                images=images,
                float_share=share,
            )
            gate = self._check_int8(draft, float_share=share)
            if gate.passed:
                return gate
            draft.graph_path(Precision.INT8).unlink()
        return gate

    def _check_int8(self, draft: Draft, *, float_share: float) -> Gate:
        """INT8 against float32 on validation data; the gate says what was left in float32."""
        self._stages.begin("comparing INT8 with float32 on validation data", fraction=0.6)
        val = self._trained.images(Split.VAL)
        sessions = {precision: draft.session(precision) for precision in Precision}
        scores = {
            precision: _all_scores(session, self._loader(val))
            for precision, session in sessions.items()
        }
        metrics = {p: self._metrics(session, val) for p, session in sessions.items()}
        return int8_gate(
            scores[Precision.FP32],
            scores[Precision.INT8],
            metrics={
                kind: HeadMetric(value, metrics[Precision.INT8][kind])
                for kind, value in metrics[Precision.FP32].items()
            },
            float_share=float_share,
        )

    def _metrics(self, session: Session, images: LabelledImages) -> dict[LabelKind, float]:
        """Each head's selecting metric, oriented so that higher is better."""
        found = bundle_predictions(session, self._loader(images))
        oriented = {}
        for head in session.manifest.outputs:
            objective = OBJECTIVES[head.kind]
            value = judge(head.kind, found[head.kind], labels=head.labels)[objective.best_metric]
            oriented[head.kind] = value if objective.higher_is_better else -value
        return oriented

    def _evaluations(self, draft: Draft) -> Iterator[Evaluation]:
        for precision in Precision:
            if draft.graph_path(precision).exists():
                fraction = _SCORING_BEGINS[precision]
                self._stages.begin(f"scoring {precision} on the test split", fraction=fraction)
                yield from score_bundle(
                    draft.session(precision),
                    self._trained.datasets,
                    Split.TEST,
                    batch_size=_BATCH_SIZE,
                    workers=self._compute.loader_workers,
                )

    def _pixels(self, split: Split, count: int) -> Iterator[NDArray[np.float32]]:
        """Batches of about `count` pre-processed images, spread evenly over a split."""
        images = self._trained.images(split)
        chosen = np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(int)
        spread = LabelledImages([images.samples[index] for index in chosen], images.transform)
        for batch in islice(self._loader(spread), -(-count // _BATCH_SIZE)):
            yield batch.images.numpy()

    def _loader(self, images: LabelledImages) -> Iterator[Batch]:
        order = InOrder(len(images), _BATCH_SIZE)
        kinds = self._trained.network.label_sets
        return iter(load(images, order, kinds, workers=self._compute.loader_workers))


def export(
    config: ExportConfig, *, run: RunFolder, datasets_root: Path, shipped_root: Path
) -> dict[str, object]:
    """Publish the run's best weights as the next version, and move the alias to it.

    Started again after it was killed it makes no second version of what it has published.
    """
    trained = TrainedRun.open(config.run, datasets_root)
    registry = Registry(config.registry, shipped_root)
    bundle = published(run, registry, weights_sha256=file_sha256(trained.weights))
    if bundle is None:
        bundle = registry.publish(config.name, Export(config, trained, run=run).write)
    manifest = bundle.manifest
    run.fence.check()
    if config.alias is not None:
        registry.set_alias(manifest.name, config.alias, version=manifest.version)
    return {
        "model": manifest.name,
        "version": manifest.version,
        "digest": f"sha256:{bundle.digest}",
        "gates": [gate.model_dump(mode="json") for gate in manifest.gates],
        "evaluations": [found.model_dump(mode="json") for found in manifest.evaluations],
    }


def _read_notes(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise NotesUnreadable(f"the notes at {path} cannot be read: {error}") from error


def _parts(images: NDArray[np.float32], size: int) -> Iterator[NDArray[np.float32]]:
    return (images[start : start + size] for start in range(0, len(images), size))


def _joined(session: Session, images: NDArray[np.float32], size: int) -> Scores:
    """Probabilities of all images, `size` at a time."""
    found = list(graph_scores(session, _parts(images, size)))
    return {kind: np.concatenate([scores[kind] for scores in found]) for kind in found[0]}


def _all_scores(session: Session, batches: Iterator[Batch]) -> Scores:
    """Probabilities of every image, whatever labels it has."""
    found = list(graph_scores(session, (batch.images.numpy() for batch in batches)))
    return {kind: np.concatenate([scores[kind] for scores in found]) for kind in found[0]}
