"""The metrics file of a bundle: its figures on test images, and what it says of some photos."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from models.bundle import Bundle
from models.labels import LabelKind, LabelSet
from models.manifest import Evaluation, Precision
from models.runtime import Session
from training.config.publishing import EvaluateConfig
from training.config.recipes import RecipeConfig
from training.errors import TrainingError
from training.evidence.photos import PhotoAnswer, photo_answers
from training.evidence.results import Kept
from training.launch import launch
from training.provenance import code_version
from training.run import RunFolder

METRICS_FILE = "metrics.json"
PICTURES = "photos"


class NoBundle(TrainingError):
    """A configuration is not one that evaluates a bundle."""


class BundleMetrics(Kept):
    """A bundle, scored."""

    schema_version: Literal[1] = 1
    name: str
    version: str
    digest: str
    code_version: str
    config: dict[str, Any]
    labels: dict[LabelKind, LabelSet] = Field(description="By output, in the order of its scores")
    evaluations: tuple[Evaluation, ...]
    photos: tuple[PhotoAnswer, ...]

    @property
    def label(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


def scored_bundle(
    config: RecipeConfig, *, runs: Path, datasets_root: Path, kept: Path
) -> BundleMetrics:
    """Evaluate a bundle in a run folder of `runs`; keep figures and photos below `kept`."""
    if not isinstance(config, EvaluateConfig) or config.bundle is None:
        raise NoBundle("expected a configuration of the recipe 'evaluate' that names a bundle")
    bundle = Bundle.open(config.bundle)
    run = RunFolder(runs / bundle.label)
    run.prepare(config)
    found: Any = launch(run, datasets_root=datasets_root)["evaluations"]
    session = Session.open(bundle, precision=Precision.FP32)
    metrics = BundleMetrics(
        name=bundle.manifest.name,
        version=bundle.manifest.version,
        digest=bundle.digest,
        code_version=code_version(),
        config=config.model_dump(mode="json"),
        labels={head.kind: head.labels for head in bundle.manifest.outputs},
        evaluations=found,
        photos=tuple(photo_answers(session, kept / bundle.label / PICTURES)),
    )
    metrics.write(kept / bundle.label / METRICS_FILE)
    return metrics
