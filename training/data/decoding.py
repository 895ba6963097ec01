"""A sample's image as training sees it: upright RGB, or an error that names the file."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from models.pixels import FORMATS, as_rgb
from training.data.canonical import CanonicalDataset, Sample
from training.data.copying import DECODER_ERRORS
from training.errors import TrainingError


class UnreadableImage(TrainingError):
    """An image of a data set could not be read."""


def opened_image(file: Path) -> Image.Image:
    """The image of a file; raises UnreadableImage."""
    with _named(str(file)), Image.open(file, formats=FORMATS) as image:
        return as_rgb(image)


def decoded(dataset: CanonicalDataset, sample: Sample) -> Image.Image:
    """The image of `sample`; raises UnreadableImage."""
    with _named(f"{sample.file_name} of data set {dataset.name}"):
        content = io.BytesIO(dataset.read_image(sample))
        with Image.open(content, formats=FORMATS) as image:
            return as_rgb(image)


@contextmanager
def _named(image: str) -> Iterator[None]:
    try:
        yield
    except DECODER_ERRORS as error:
        raise UnreadableImage(f"{image} cannot be read: {error}") from error
