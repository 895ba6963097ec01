"""A generated data set of photo-sized JPEGs with every kind of label: timings need no download."""

import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from models.labels import LabelKind, LabelSet
from training.data.canonical import CARD, Split
from training.data.importers.listing import ImportOptions, Record
from training.data.importing import import_dataset
from training.data.metadata import METADATA, metadata_csv

NAME = "photos"
LABELS = LabelSet(names=tuple(f"class {number}" for number in range(8)))
CAPTION = "two people walk along a wide beach under a heavy evening sky"
_GRAIN = 12
"""Standard deviation of the noise: with it a picture is about as hard to decode as a photo."""


def write_photos(root: Path, *, images: int, width: int, height: int) -> Path:
    """The data set NAME below `root`: `images` for training, and one to validate on."""
    label_sets = {LabelKind.SINGLE: LABELS, LabelKind.DISTRIBUTION: LABELS}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        (source / "images").mkdir()
        records = []
        for number in range(images + 1):
            file = f"images/{number:05}.jpg"
            _photo(number, width=width, height=height).save(source / file, "JPEG", quality=85)
            records.append(_record(file, number, Split.VAL if number == images else Split.TRAIN))
        (source / METADATA).write_bytes(metadata_csv(records, label_sets))
        sets = {kind: labels.model_dump(mode="json") for kind, labels in label_sets.items()}
        (source / CARD).write_text(json.dumps({"label_sets": sets}), encoding="utf-8")
        import_dataset(
            format="canonical",
            sources=[source],
            destination=root / NAME,
            name=NAME,
            options=ImportOptions(terms="Generated; free for any use.", val_fraction=0),
            progress=lambda step, done, total: None,
        )
    return root / NAME


def _record(file: str, number: int, split: Split) -> Record:
    label = number % len(LABELS)
    shares = tuple(0.3 if place == label else 0.1 for place in range(len(LABELS)))
    return Record(file, split, label=LABELS.names[label], shares=shares, captions=(CAPTION,))


def _photo(seed: int, *, width: int, height: int) -> Image.Image:
    """Random colours that flow into each other, with grain."""
    rng = np.random.default_rng(seed)
    spots = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    smooth = np.asarray(spots.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    grainy = smooth + rng.normal(0, _GRAIN, smooth.shape)
    return Image.fromarray(grainy.clip(0, 255).astype(np.uint8))
