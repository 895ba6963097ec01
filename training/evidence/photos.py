"""Photos that come with scikit-image, and what a model says of them: what it gets wrong, too."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from skimage import data

from models.labels import LabelKind
from models.manifest import Output
from models.preprocessing import preprocess
from models.runtime import Session
from training.config.fields import Config

_FIRM = 0.5
"""Probability from which a first label counts as a firm answer."""

_SHOWN_SIDE = 200
_HEAT_OPACITY = 0.55
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture in scikit-image's own package, and what one would expect it to make people feel.

    Expected is our reading and no rater's; nothing is expected of what shows nothing to feel about.
    Without a licence it is described and not shown.
    """

    name: str
    shows: str
    expected: tuple[str, ...]
    licence: str | None

    def image(self) -> Image.Image:
        """The picture; nothing is downloaded."""
        return Image.fromarray(getattr(data, self.name)()).convert("RGB")


# Chosen with a look at what default@2 says, so that its failures are among them: no sample.
PHOTOS = (
    Photo("chelsea", "a cat at rest", ("contentment", "amusement"), "CC0, Stefan van der Walt"),
    Photo("rocket", "a rocket on its pad at dusk", ("awe", "excitement"), "public domain, SpaceX"),
    Photo("astronaut", "a smiling astronaut", ("contentment", "excitement"), "public domain, NASA"),
    Photo("hubble_deep_field", "galaxies", ("awe",), "public domain, NASA"),
    Photo("moon", "the Moon's surface, grey", ("awe",), None),
    Photo("coffee", "a cup of coffee on wood", ("contentment",), "CC0, Rachel Michetti"),
    Photo("clock", "a wall clock, blurred", (), "public domain, Stefan van der Walt"),
    Photo("coins", "old coins in rows", (), "no known restriction, Brooklyn Museum"),
    Photo("text", "formulas in handwriting", (), "public domain"),
    Photo("brick", "a brick wall", (), "CC0, CC0Textures"),
)


class PhotoAnswer(Config):
    """What a model says of one photo."""

    name: str
    shows: str
    expected: tuple[str, ...] = Field(description="Of its labels; empty where nothing is")
    licence: str | None = Field(description="Of the photo; none where it is not shown")
    scores: dict[str, float] = Field(description="By single label, highest first")
    selected: tuple[str, ...] = Field((), description="Labels of the output multi")

    @property
    def first(self) -> str:
        """The first single label."""
        return next(iter(self.scores))

    @property
    def is_firm(self) -> bool:
        """Whether the first label has most of the probability."""
        return self.scores[self.first] >= _FIRM

    @property
    def is_wrong(self) -> bool:
        """Whether something is expected, and the first label is none of it."""
        return bool(self.expected) and self.first not in self.expected

    @property
    def verdict(self) -> str:
        """Both in words."""
        firmness = "firm" if self.is_firm else "unsure"
        if not self.expected:
            return firmness
        return f"{'**wrong**' if self.is_wrong else 'as expected'}, {firmness}"


def photo_answers(session: Session, pictures: Path) -> Iterator[PhotoAnswer]:
    """Ask a model that has a single output; photos beside their heatmaps go to a folder."""
    single = session.manifest.output(LabelKind.SINGLE)
    if single is None:
        return
    pictures.mkdir(parents=True, exist_ok=True)
    for photo in PHOTOS:
        answer, heat = _asked(session, single, photo)
        if photo.licence is not None:
            _beside(photo.image(), heat).save(pictures / f"{photo.name}.jpg", quality=_QUALITY)
        yield answer


def _asked(
    session: Session, single: Output, photo: Photo
) -> tuple[PhotoAnswer, NDArray[np.float32]]:
    """What is said of a photo, and the map h,w of the first single label."""
    multi = session.manifest.output(LabelKind.MULTI)
    names = [single.scores_name, single.map_name, *([multi.scores_name] if multi else [])]
    found = session.run(preprocess(photo.image(), session.manifest.preprocessing)[None], names)
    scores, labels = found[single.scores_name][0], single.labels.names
    order = np.argsort(-scores, kind="stable")
    answer = PhotoAnswer(
        name=photo.name,
        shows=photo.shows,
        expected=tuple(label for label in photo.expected if label in labels),
        licence=photo.licence,
        scores={labels[place]: round(float(scores[place]), 4) for place in order},
        selected=_selected(multi, found[multi.scores_name][0]) if multi else (),
    )
    return answer, found[single.map_name][0, order[0]]


def _selected(output: Output, scores: NDArray[np.float32]) -> tuple[str, ...]:
    assert output.thresholds is not None
    given = zip(output.labels.names, scores, output.thresholds, strict=True)
    return tuple(label for label, score, threshold in given if score >= threshold)


def _beside(photo: Image.Image, heat: NDArray[np.float32]) -> Image.Image:
    """The photo, and beside it in grey under the map h,w, from its lowest value to its highest."""
    small = photo.copy()
    small.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    scaled = (heat - heat.min()) / max(float(np.ptp(heat)), 1e-9)
    smooth = Image.fromarray(scaled).resize(small.size, Image.Resampling.BICUBIC)
    colours = mpl.colormaps["inferno"](np.asarray(smooth).clip(0, 1), bytes=True)[..., :3]  # h,w,3
    grey = small.convert("L").convert("RGB")
    both = Image.new("RGB", (2 * small.width, small.height))
    both.paste(small, (0, 0))
    both.paste(Image.blend(grey, Image.fromarray(colours), _HEAT_OPACITY), (small.width, 0))
    return both
