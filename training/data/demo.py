"""A generated corpus in which every task has something to learn, and whose labels are known.

Pictures of coloured shapes on a ground. What is where, and which labels follow from it:

- a shape's colour goes with its kind, as leaves are green (colorization, adjective-noun pairs);
- the ground is striped, dotted or plain, and light above, dark below (super-resolution, jigsaw);
- the shapes stand in a row, a column, a diagonal or a ring: the scene;
- a caption says it all in words;
- warm or cold and calm or busy make the emotion, and the shares of all of them.
"""

import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.labels import LabelKind, LabelSet, Polarity
from training.data.canonical import CARD, Split
from training.data.importers.listing import ImportOptions, Record
from training.data.importing import import_dataset
from training.data.metadata import METADATA, metadata_csv

SIDE = 96
COUNTS: Mapping[str, int] = {"train": 320, "val": 80, "test": 80}

NOUNS = ("circle", "square", "triangle", "diamond")
ADJECTIVES = ("red", "blue", "yellow", "green")
SCENES = ("row", "column", "diagonal", "ring")
GROUNDS = ("plain", "striped", "dotted")
EMOTIONS = LabelSet(
    names=("joy", "calm", "fear", "sadness"),
    polarity=(Polarity.POSITIVE, Polarity.POSITIVE, Polarity.NEGATIVE, Polarity.NEGATIVE),
)
"""Warm and busy, warm and calm, cold and busy, cold and calm."""

PAIRS = tuple(f"{adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS)

_COLOURS = {
    "red": (205, 50, 45),
    "blue": (55, 90, 200),
    "yellow": (230, 200, 60),
    "green": (70, 150, 70),
}
_WARM, _COLD = (225, 175, 130), (120, 150, 190)
_TYPICAL = 0.7
"""How often a shape has the colour of its kind."""

_MAIN, _NEAR, _FAR = 0.6, 0.15, 0.1
"""Share of the emotion shown, of the two that share warmth or calm with it, of its opposite."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What one picture shows."""

    noun: str
    adjective: str
    scene: str
    ground: str
    warm: bool

    @property
    def emotion(self) -> int:
        """Position of the emotion in EMOTIONS."""
        return 2 * (not self.warm) + (self.ground == "plain")

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of EMOTIONS; they sum to 1."""
        by_difference = {0: _MAIN, 1: _NEAR, 2: _NEAR, 3: _FAR}
        return tuple(by_difference[self.emotion ^ other] for other in range(len(EMOTIONS)))

    @property
    def pair(self) -> str:
        """The adjective-noun pair."""
        return f"{self.adjective} {self.noun}"

    @property
    def caption(self) -> str:
        """The picture in words."""
        where = "warm" if self.warm else "cold"
        return f"a {self.scene} of {self.adjective} {self.noun}s on a {where} {self.ground} wall"


def draw_picture(rng: np.random.Generator) -> Picture:
    """What a random picture shows."""
    kind = int(rng.integers(len(NOUNS)))
    typical = rng.random() < _TYPICAL
    colour = kind if typical else int(rng.integers(len(ADJECTIVES)))
    return Picture(
        noun=NOUNS[kind],
        adjective=ADJECTIVES[colour],
        scene=SCENES[int(rng.integers(len(SCENES)))],
        ground=GROUNDS[int(rng.integers(len(GROUNDS)))] if rng.random() < 0.5 else "plain",
        warm=bool(rng.random() < 0.5),
    )


def paint(picture: Picture, rng: np.random.Generator) -> bytes:
    """The picture as a PNG of SIDE by SIDE pixels; no two are alike."""
    image = Image.fromarray(_ground(picture, rng))
    brush = ImageDraw.Draw(image)
    colour = _varied(_COLOURS[picture.adjective], rng)
    for x, y in _places(picture.scene, rng):
        _shape(brush, picture.noun, x, y, radius=float(rng.uniform(8, 11)), colour=colour)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def write_demo(root: Path, *, counts: Mapping[str, int] = COUNTS, seed: int = 0) -> tuple[str, ...]:
    """Make the three data sets that the demo's configurations name, below `root`; their names.

    All are of the same pictures: `demo-scenes` with the scene as the single label, `demo-pairs`
    with the pair and the caption, `demo-emotions` with the emotion and the shares. One that is
    there already is left as it is.
    """
    with tempfile.TemporaryDirectory() as folder:
        painted = list(_painted(Path(folder), counts, seed))
        for name, label_sets, describe in _SETS:
            if (root / name).exists():
                continue
            records = [describe(Record(file, Split(split)), p) for file, split, p in painted]
            _import(Path(folder), root / name, records, label_sets)
    return tuple(name for name, *_ in _SETS)


def _painted(
    folder: Path, counts: Mapping[str, int], seed: int
) -> Iterator[tuple[str, str, Picture]]:
    """Paint every picture below `folder`; yields its file, its split and what it shows."""
    for place, (split, count) in enumerate(counts.items()):
        (folder / "images" / split).mkdir(parents=True)
        for number in range(count):
            rng = np.random.default_rng((seed, place, number))
            picture = draw_picture(rng)
            file = f"images/{split}/{number:04}.png"
            (folder / file).write_bytes(paint(picture, rng))
            yield file, split, picture


def _with_scene(record: Record, picture: Picture) -> Record:
    return replace(record, label=picture.scene)


def _with_pair(record: Record, picture: Picture) -> Record:
    return replace(record, label=picture.pair, captions=(picture.caption,))


def _with_emotion(record: Record, picture: Picture) -> Record:
    return replace(record, label=EMOTIONS.names[picture.emotion], shares=picture.shares)


_SETS: tuple[tuple[str, Mapping[LabelKind, LabelSet], Callable[[Record, Picture], Record]], ...] = (
    ("demo-scenes", {LabelKind.SINGLE: LabelSet(names=SCENES)}, _with_scene),
    ("demo-pairs", {LabelKind.SINGLE: LabelSet(names=PAIRS)}, _with_pair),
    (
        "demo-emotions",
        {LabelKind.SINGLE: EMOTIONS, LabelKind.DISTRIBUTION: EMOTIONS},
        _with_emotion,
    ),
)


def _import(
    folder: Path,
    destination: Path,
    records: Sequence[Record],
    label_sets: Mapping[LabelKind, LabelSet],
) -> None:
    (folder / METADATA).write_bytes(metadata_csv(records, label_sets))
    sets = {kind: labels.model_dump(mode="json") for kind, labels in label_sets.items()}
    (folder / CARD).write_text(json.dumps({"label_sets": sets}), encoding="utf-8")
    import_dataset(
        format="canonical",
        sources=[folder],
        destination=destination,
        name=destination.name,
        options=ImportOptions(terms="Generated by Sentiscope; free for any use.", val_fraction=0),
        progress=lambda step, done, total: None,
    )


def _ground(picture: Picture, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The ground, SIDE,SIDE,3: light above, dark below, with its texture and some noise."""
    base = np.array(_varied(_WARM if picture.warm else _COLD, rng), np.float64)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    light = 1.15 - 0.4 * y / SIDE
    phase = rng.uniform(0, 8)
    if picture.ground == "striped":
        light = light + 0.18 * np.sign(np.sin((x + y + phase) * 2 * np.pi / 8))
    elif picture.ground == "dotted":
        dots = np.sin((x + phase) * 2 * np.pi / 10) * np.sin((y + phase) * 2 * np.pi / 10)
        light = light + 0.25 * (dots > 0.4)
    noisy = base * light[..., None] + rng.normal(0, 4, (SIDE, SIDE, 3))
    clipped: NDArray[np.uint8] = noisy.clip(0, 255).astype(np.uint8)
    return clipped


def _varied(colour: tuple[int, int, int], rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(np.clip(c + rng.integers(-15, 16), 0, 255)) for c in colour)
    return red, green, blue


def _places(scene: str, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Centres of the shapes, in pixels."""
    ends = np.linspace(0.2, 0.8, 4)
    drift = float(rng.uniform(0.35, 0.65))
    turn = np.linspace(0, 2 * np.pi, 6)[:-1]
    relative = {
        "row": [(end, drift) for end in ends],
        "column": [(drift, end) for end in ends],
        "diagonal": [(end, end) for end in ends],
        "ring": [(0.5 + 0.3 * np.cos(t), 0.5 + 0.3 * np.sin(t)) for t in turn],
    }[scene]
    return [(SIDE * float(x), SIDE * float(y)) for x, y in relative]


def _shape(
    brush: ImageDraw.ImageDraw,
    noun: str,
    x: float,
    y: float,
    *,
    radius: float,
    colour: tuple[int, int, int],
) -> None:
    left, top, right, bottom = x - radius, y - radius, x + radius, y + radius
    if noun == "circle":
        brush.ellipse((left, top, right, bottom), fill=colour)
    elif noun == "square":
        brush.rectangle((left, top, right, bottom), fill=colour)
    elif noun == "triangle":
        brush.polygon([(x, top), (right, bottom), (left, bottom)], fill=colour)
    else:
        brush.polygon([(x, top), (right, y), (x, bottom), (left, y)], fill=colour)
