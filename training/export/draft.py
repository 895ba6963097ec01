"""A bundle in the making: files are written one by one, the manifest again after each step."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models.bundle import CARD, Bundle, file_sha256, write_manifest
from models.manifest import (
    Evaluation,
    Gate,
    GraphFile,
    Lineage,
    Manifest,
    Output,
    Precision,
)
from models.preprocessing import Preprocessing
from models.runtime import Session
from training.export.card import model_card

FILES = {Precision.FP32: "model.onnx", Precision.INT8: "model.int8.onnx"}


@dataclass(frozen=True, slots=True)
class Draft:
    """The unpublished bundle in `folder`; what is tried on it is what serving will do."""

    folder: Path
    name: str
    version: str
    outputs: tuple[Output, ...]
    preprocessing: Preprocessing
    lineage: Lineage

    def graph_path(self, precision: Precision) -> Path:
        """Where the graph of `precision` belongs."""
        return self.folder / FILES[precision]

    def session(self, precision: Precision) -> Session:
        """A session on the draft as it is now, verified as every bundle is."""
        self.write(notes="", gates=(), evaluations=())
        return Session.open(Bundle.open(self.folder), precision=precision)

    def write(
        self, *, notes: str, gates: tuple[Gate, ...], evaluations: tuple[Evaluation, ...]
    ) -> None:
        """Write card and manifest for the graphs that are there."""
        card = self.folder / CARD
        manifest = self._manifest(gates, evaluations)
        card.write_text(model_card(manifest, notes), encoding="utf-8")
        final = manifest.model_copy(update={"card_sha256": file_sha256(card)})
        write_manifest(self.folder, final)

    def _manifest(self, gates: tuple[Gate, ...], evaluations: tuple[Evaluation, ...]) -> Manifest:
        return Manifest(
            name=self.name,
            version=self.version,
            created_at=datetime.now(UTC).replace(microsecond=0),
            outputs=self.outputs,
            preprocessing=self.preprocessing,
            graphs=tuple(
                _graph_file(self.graph_path(precision), precision)
                for precision in FILES
                if self.graph_path(precision).exists()
            ),
            card_sha256="0" * 64,
            evaluations=evaluations,
            gates=gates,
            lineage=self.lineage,
        )


def _graph_file(path: Path, precision: Precision) -> GraphFile:
    return GraphFile(
        precision=precision,
        file=path.name,
        sha256=file_sha256(path),
        size=path.stat().st_size,
    )
