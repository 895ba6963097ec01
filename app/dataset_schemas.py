"""What goes over the wire for data sets: records, lists and how an import is asked for."""

from typing import Annotated, Any

from pydantic import Field

from app.schemas import Wire
from models.labels import LabelKind, LabelSet
from training.config.dataset_card import DatasetCard, Split
from training.config.importing import ImportConfig

NOT_ASKED = ("recipe", "sources")
"""Fields of an import's configuration that follow from the request."""

_ID = "019abcd0f1e3a1b2c3d4e5f607"
DATASET: dict[str, Any] = {
    "name": "mine",
    "title": "My pictures",
    "format": "class_folder",
    "digest": "0" * 64,
    "label_sets": {
        "single": {"names": ["glad", "sad"], "polarity": ["positive", "negative"]},
    },
    "counts": {"train": 80, "val": 9, "test": 10},
    "terms": "mine",
    "findings": ["no image in val of class sad"],
    "importing": None,
}
"""An answer for one data set."""

IMPORT_RECORD: dict[str, Any] = {
    "id": _ID,
    "kind": "import",
    "name": "mine",
    "status": "queued",
    "config": {"recipe": "import", "name": "mine", "format": "class_folder", "sources": ["a.zip"]},
    "created_at": "2026-11-25T10:00:00Z",
    "progress": {"stage": None, "fraction": None, "eta_seconds": None},
}
"""The beginning of the answer to a request for an import."""


class DatasetRecord(Wire):
    """What is known of a data set; of one that is still being imported only its job."""

    name: str = Field(description="What configurations call it")
    title: str | None = Field(None, description="Its name in reports")
    format: str | None = Field(None, description="The layout it was imported from")
    digest: str | None = Field(None, description="SHA-256 of its images, label sets and rows")
    label_sets: dict[LabelKind, LabelSet] = Field(
        {}, description="Kinds of label, each with its classes in order and their polarity"
    )
    counts: dict[Split, int] = Field({}, description="Images of each split")
    terms: str | None = Field(None, description="Licence or terms of use")
    findings: list[str] = Field([], description="What the import remarked; absent in lists")
    importing: str | None = Field(None, description="Id of the job that imports it right now")
    fault: str = Field("", description="Why its card cannot be read; absent where it can")

    @classmethod
    def of(cls, name: str, card: DatasetCard, *, importing: str | None) -> "DatasetRecord":
        """The record of a data set that is there."""
        return cls(
            name=name,
            title=card.name,
            importing=importing,
            **card.model_dump(
                include={"format", "digest", "label_sets", "counts", "terms", "findings"}
            ),
        )


class DatasetList(Wire):
    """Data sets, sorted by name."""

    items: list[DatasetRecord]
    next_cursor: str | None


class DatasetQuery(Wire):
    """Which data sets to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = Field(50, description="Data sets a page")
    cursor: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="`next_cursor` of the page before"
    )


def _request_schema(extra: dict[str, Any]) -> dict[str, Any]:
    schema = ImportConfig.model_json_schema()
    parts = schema.pop("$defs", {})
    options = {
        name: parts[option["$ref"].rsplit("/", 1)[-1]] | {"description": option["description"]}
        if "$ref" in option
        else option
        for name, option in schema["properties"].items()
        if name not in NOT_ASKED
    }
    required = ["name", "format", *extra]
    return {
        "type": "object",
        "required": required,
        "properties": options | extra,
        "additionalProperties": False,
    }


_ARCHIVES = {
    "type": "array",
    "description": "Zip or tar files (plain, gzip, bzip2, xz) that together are one data set",
    "items": {"type": "string", "format": "binary"},
}
_TEXT = {"type": "string", "examples": ["/data/fi"]}
_ROOT = {
    "description": "A folder or zip file on the server, in a folder that its operator allows; or "
    "several files of one data set",
    "anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}],
}
IMPORT_BODY: dict[str, Any] = {
    "required": True,
    "description": "Archives as a form, its other parts best sent first; or a place on the server.",
    "content": {
        "multipart/form-data": {"schema": _request_schema({"archive": _ARCHIVES})},
        "application/json": {
            "schema": _request_schema({"root": _ROOT}),
            "example": {"name": "fi", "format": "fi", "root": "/data/fi", "title": "FI, our split"},
        },
    },
}
