"""A sample's image as training sees it: upright RGB, or an error that names the file."""

import io
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
    try:
        with Image.open(file, formats=FORMATS) as image:
            return as_rgb(image)
    except DECODER_ERRORS as error:
        raise UnreadableImage(f"{file} cannot be read: {error}") from error


def decoded(dataset: CanonicalDataset, sample: Sample) -> Image.Image:
    """The image of `sample`; raises UnreadableImage."""
    try:
        with Image.open(io.BytesIO(dataset.read_image(sample)), formats=FORMATS) as image:
            return as_rgb(image)
    except DECODER_ERRORS as error:
        raise UnreadableImage(
            f"{sample.file_name} of data set {dataset.name} cannot be read: {error}"
        ) from error
