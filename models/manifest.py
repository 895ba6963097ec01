"""What travels with a model's weights: labels, pre-processing, metrics, lineage, checksums."""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from models.labels import LabelKind, LabelSet
from models.preprocessing import Preprocessing

NAME_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
VERSION_PATTERN = r"^[1-9][0-9]{0,8}$"
ALIAS_PATTERN = r"^[a-z][a-z0-9_-]{0,63}$"
INPUT_NAME = "image"
"""Name of the graph's input: float32 B,3,H,W, pre-processed."""

ModelName = Annotated[str, Field(pattern=NAME_PATTERN)]
Version = Annotated[str, Field(pattern=VERSION_PATTERN)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Probability = Annotated[float, Field(gt=0, lt=1)]


class Frozen(BaseModel):
    """Base of every part of the manifest: frozen, unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Precision(StrEnum):
    """Arithmetic of one graph's backbone; heads and maps are always float32."""

    FP32 = "fp32"
    INT8 = "int8"


class LabelThreshold(Frozen):
    """The labels at or above `threshold`, or the first alone, hold the true one at `coverage`."""

    coverage: Probability = Field(description="Least share of images like the validation data's")
    threshold: Annotated[float, Field(ge=0, le=1)]


class Output(Frozen):
    """One head of the graph.

    The graph's output `kind` holds probabilities B,K; `kind_map` the class activation map B,K,h,w.
    Mean over a label's map plus its bias is its logit; logit over temperature is activated.
    """

    kind: LabelKind
    labels: LabelSet
    bias: tuple[float, ...]
    temperature: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    thresholds: tuple[Probability, ...] | None = Field(
        None, description="Multi-label only: a label is selected at this score or above"
    )
    label_sets: tuple[LabelThreshold, ...] = Field(
        (), description="Single only: conformal label sets, by their coverage"
    )

    @model_validator(mode="after")
    def _lengths_agree(self) -> Self:
        if len(self.bias) != len(self.labels):
            raise ValueError(f"{len(self.bias)} biases for {len(self.labels)} labels")
        if (self.thresholds is not None) != (self.kind is LabelKind.MULTI):
            raise ValueError("multi outputs have thresholds, others have none")
        if self.thresholds is not None and len(self.thresholds) != len(self.labels):
            raise ValueError(f"{len(self.thresholds)} thresholds for {len(self.labels)} labels")
        if self.label_sets and self.kind is not LabelKind.SINGLE:
            raise ValueError("single outputs alone have label sets")
        coverages = [each.coverage for each in self.label_sets]
        if len(set(coverages)) != len(coverages):
            raise ValueError(f"each coverage may have one label set, got {coverages}")
        return self

    @property
    def scores_name(self) -> str:
        """Name of the graph's output with the probabilities."""
        return self.kind.value

    @property
    def map_name(self) -> str:
        """Name of the graph's output with the class activation map."""
        return f"{self.kind.value}_map"


class GraphFile(Frozen):
    """One ONNX file of the bundle."""

    precision: Precision
    file: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*\.onnx$")]
    sha256: Sha256
    size: Annotated[int, Field(gt=0, description="Bytes")]


class Bin(Frozen):
    """Statements of about the same probability, and how often they held."""

    cases: Annotated[int, Field(gt=0)]
    confidence: Annotated[float, Field(ge=0, le=1, description="Mean probability")]
    accuracy: Annotated[float, Field(ge=0, le=1, description="Share that held")]


class Calibration(Frozen):
    """Whether probabilities are what they say they are."""

    bins: tuple[Bin, ...] = Field(description="By rising probability; none without a case")
    error: Annotated[float, Field(ge=0, le=1, description="Expected calibration error")]


class Detail(Frozen):
    """What lies behind the metrics of an evaluation."""

    per_label: dict[str, tuple[FiniteFloat, ...]] = Field(
        description="By figure, in the order of the output's labels"
    )
    calibration: Calibration
    uncalibrated: Calibration | None = Field(
        None, description="The same at temperature 1, where the output has another"
    )
    confusion: tuple[tuple[int, ...], ...] | None = Field(
        None, description="Images by true label (row) and first label (column); not of multi"
    )


class Evaluation(Frozen):
    """Metrics of one output on one split of one data set, and how they came about."""

    output: LabelKind
    dataset: str
    split: str
    protocol: str
    images: Annotated[int, Field(gt=0)]
    precision: Precision = Precision.FP32
    metrics: dict[str, FiniteFloat]
    detail: Detail | None = None


class Gate(Frozen):
    """One check the bundle had to pass before it was published.

    A difference that is no number measures infinite or NaN; in JSON these are strings.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")

    name: str
    passed: bool
    measured: dict[str, float]
    limits: dict[str, float]


class DatasetLineage(Frozen):
    """A data set that took part, and the digest of its content."""

    name: str
    digest: str
    terms: str | None = None


class Ancestor(Frozen):
    """A run whose weights a training started from."""

    run: str = Field(description="Name of its folder; of a job, its id")
    config: dict[str, object] = Field(description="Its recipe's full configuration")
    code_version: str | None = None
    datasets: tuple[DatasetLineage, ...] = ()
    weights_sha256: Sha256 | None = None


class Lineage(Frozen):
    """Where a model comes from."""

    code_version: str
    backbone: str
    config: dict[str, object] = Field(description="The training recipe's full configuration")
    datasets: tuple[DatasetLineage, ...]
    weights_sha256: Sha256 = Field(description="Of the checkpoint that was exported")
    parents: tuple[str, ...] = Field((), description="Checkpoints or files training started from")
    ancestors: tuple[Ancestor, ...] = Field(
        (), description="The runs among the parents and before them, the earliest first"
    )
    jobs: tuple[str, ...] = Field(
        (), description="Ids of the jobs that made it, from the first pre-training to the export"
    )


class Manifest(Frozen):
    """The whole description of a bundle."""

    schema_version: Literal[1] = 1
    name: ModelName
    version: Version
    created_at: AwareDatetime
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]
    preprocessing: Preprocessing
    graphs: Annotated[tuple[GraphFile, ...], Field(min_length=1)]
    card_sha256: Sha256
    evaluations: tuple[Evaluation, ...] = ()
    gates: tuple[Gate, ...] = ()
    lineage: Lineage

    @model_validator(mode="after")
    def _parts_are_distinct(self) -> Self:
        kinds = [output.kind for output in self.outputs]
        precisions = [graph.precision for graph in self.graphs]
        if len(set(kinds)) != len(kinds):
            raise ValueError(f"each kind may have one output, got {[str(k) for k in kinds]}")
        if len(set(precisions)) != len(precisions) or Precision.FP32 not in precisions:
            raise ValueError("a bundle has one fp32 graph, and at most one int8 graph beside it")
        if len({graph.file for graph in self.graphs}) != len(self.graphs):
            raise ValueError("each graph has a file of its own")
        return self

    def output(self, kind: LabelKind) -> Output | None:
        """The output of `kind`, if the model has it."""
        return next((output for output in self.outputs if output.kind is kind), None)

    def graph(self, precision: Precision) -> GraphFile | None:
        """The graph of `precision`, if the bundle has it."""
        return next((graph for graph in self.graphs if graph.precision is precision), None)


def matches(pattern: str, text: str) -> bool:
    """Whether `text` as a whole is of `pattern` (the `$` of a regex forgives a line end)."""
    return re.fullmatch(pattern, text) is not None
