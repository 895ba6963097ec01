"""`metadata.csv` as it is written, and the digest that stands for a whole dataset."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from hashlib import sha256

from models.labels import LabelKind, LabelSet
from training.data.columns import (
    CAPTION,
    FILE_NAME,
    LABEL,
    LABELS,
    SPLIT,
    captions_cell,
    metadata_columns,
)
from training.data.importers.listing import Record

METADATA = "metadata.csv"


def metadata_csv(records: Iterable[Record], label_sets: Mapping[LabelKind, LabelSet]) -> bytes:
    """`metadata.csv` of the records: the columns that the label sets need, and captions."""
    records = tuple(records)
    shares = label_sets.get(LabelKind.DISTRIBUTION)
    columns = [*metadata_columns(label_sets)]
    columns += [CAPTION] if any(record.captions for record in records) else []
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_cells(record, shares) for record in records)
    return text.getvalue().encode()


def _cells(record: Record, shares: LabelSet | None) -> dict[str, str]:
    values = dict(zip(shares.names, record.shares, strict=True)) if shares and record.shares else {}
    return {name: repr(value).removesuffix(".0") for name, value in values.items()} | {
        FILE_NAME: record.file_name,
        SPLIT: record.split,
        LABEL: record.label or "",
        LABELS: "" if record.labels is None else json.dumps(record.labels, ensure_ascii=False),
        CAPTION: captions_cell(record.captions),
    }


def dataset_digest(
    image_digests: Iterable[str], metadata: bytes, label_sets: Mapping[LabelKind, LabelSet]
) -> str:
    """One digest of all that training reads: rows, their images in order, and the label sets."""
    sets = {kind: names.model_dump(mode="json") for kind, names in label_sets.items()}
    state = sha256("\n".join(image_digests).encode())
    state.update(json.dumps(sets, sort_keys=True).encode())
    state.update(sha256(metadata).digest())
    return state.hexdigest()
