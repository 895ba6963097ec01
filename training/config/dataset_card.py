"""What `dataset.json` says of a canonical data set; read without PyTorch."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from models.labels import LabelKind, LabelSet

CARD = "dataset.json"


class Split(StrEnum):
    """What a sample may be used for."""

    TRAIN = "train"
    """To fit weights."""

    VAL = "val"
    """To choose between models, and to calibrate them."""

    TEST = "test"
    """To report, and for nothing else."""


class DatasetCard(BaseModel):
    """What `dataset.json` says of a dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    name: str
    format: str
    digest: str = Field(
        description="sha256 of the images' digests, the label sets and the metadata"
    )
    label_sets: dict[LabelKind, LabelSet]
    counts: dict[Split, int]
    terms: str | None = None
    options: dict[str, JsonValue] = Field(default_factory=dict)
    findings: list[str] = Field(default_factory=list, description="What the import remarked")
