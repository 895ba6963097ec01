"""Miniatures of the public layouts, as files by name, and the ways to put them on a disk."""

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from models.labels import MIKELS
from training.data.importers.listing import ImportOptions, Listing
from training.data.importers.table import IMPORTERS
from training.data.source import open_source

Files = dict[str, bytes]

EMOTION6_HEADER = (
    "[image_filename]\t[valence]\t[arousal]\t[prob. anger]\t[prob. disgust]\t[prob. fear]"
    "\t[prob. joy]\t[prob. sadness]\t[prob. surprise]\t[prob. neutral]"
)
KEYWORDS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
SHARES = "0.1\t0.2\t0.3\t0.05\t0.15\t0\t0.2"


def picture(seed: int, format: str = "PNG") -> bytes:
    """An image of 12x8 pixels that no other seed gives."""
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format)
    return content.getvalue()


def pictures(names: Iterable[str]) -> Files:
    """A different image under each name."""
    return {name: picture(seed, "JPEG") for seed, name in enumerate(names)}


def fi(per_class: int = 3) -> Files:
    """FI's layout: train, val and test folders of Mikels' eight."""
    return pictures(
        f"FI/{split}/{label}/{label}_{n:04}.jpg"
        for split in ("train", "val", "test")
        for label in MIKELS.names
        for n in range(per_class)
    )


def emotion6(per_keyword: int = 5) -> Files:
    """Emotion6's layout, with folds 0 to 4."""
    names = [f"{keyword}/{n}.jpg" for keyword in KEYWORDS for n in range(1, per_keyword + 1)]
    truth = [EMOTION6_HEADER, *(f"{name}\t5.5\t3.8\t{SHARES}" for name in names)]
    folds = ["file_name,fold", *(f"{name},{n % 5}" for n, name in enumerate(names))]
    return {
        "Emotion6/ground_truth.txt": text(truth),
        "Emotion6/folds.csv": text(folds),
        "Emotion6/readme.txt": b"For academic research only.\n",
        **pictures(f"Emotion6/images/{name}" for name in names),
    }


def text(lines: Iterable[str]) -> bytes:
    """Lines as the content of a text file."""
    return "".join(f"{line}\n" for line in lines).encode()


def write_folder(root: Path, files: Mapping[str, bytes]) -> Path:
    """The files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """The files in one zip file."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def as_folder(root: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Import sources: one folder."""
    return [write_folder(root / "folder", files)]


def as_zip(root: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Import sources: one zip file."""
    return [write_zip(root / "all.zip", files)]


def as_zips(root: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Import sources: the files dealt out to three zip files."""
    items = list(files.items())
    return [write_zip(root / f"part-{n}.zip", dict(items[n::3])) for n in range(3)]


PACKINGS = (as_folder, as_zip, as_zips)


def listed(format: str, root: Path, files: Mapping[str, bytes], **options: object) -> Listing:
    """What the importer of a format reads out of the files in a folder."""
    source = open_source([write_folder(root / "in", files)])
    return IMPORTERS[format](source, ImportOptions.model_validate(options))
