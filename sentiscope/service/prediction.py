"""What images make people feel, as the service says it; label scores are sorted, highest first."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

from sentiscope.service.errors import refusal
from sentiscope.service.problem import Problem
from sentiscope.service.value import Value


class ModelVersion(Value):
    """The exact model that answered."""

    name: str
    version: str
    digest: str


class ImageFacts(Value):
    """What was read; width and height in pixels, of the upright image."""

    format: str
    width: int
    height: int


class Score(Value):
    """A label's probability, or its share of the viewers."""

    label: str
    score: float


class MultiScore(Score):
    """A label's probability, and the one from which on it is selected."""

    threshold: float
    selected: bool


class LabelSet(Value):
    """Labels that hold the right one for this share of images."""

    coverage: float
    labels: tuple[str, ...]


class Single(Value):
    """Exactly one label holds; scores sum to 1."""

    label: str
    score: float
    scores: tuple[Score, ...]
    set: LabelSet | None = None


class Multi(Value):
    """Each label holds or not."""

    labels: tuple[str, ...]
    scores: tuple[MultiScore, ...]


class Distribution(Value):
    """Each label's share of the viewers; entropy in nats."""

    dominant: str
    entropy: float
    scores: tuple[Score, ...]


class Explanation(Value):
    """Where in the image a label's evidence lies: the mean over the grid plus bias is its logit."""

    output: str
    label: str
    bias: float
    grid: tuple[tuple[float, ...], ...]
    png_base64: str

    @property
    def png(self) -> bytes:
        """The grid laid over the image, as a PNG file's bytes."""
        return base64.b64decode(self.png_base64)


class Prediction(Value):
    """One image's answer; outputs that were not asked for are None."""

    source: str | None
    """The path, as it was given; None of an image that was given as bytes or pixels."""

    model: ModelVersion
    image: ImageFacts
    single: Single | None = None
    multi: Multi | None = None
    distribution: Distribution | None = None
    explanation: Explanation | None = None


class FailedPrediction(Value):
    """An image that could not be answered, and why."""

    source: str | None
    problem: Problem


Answer: TypeAlias = Prediction | FailedPrediction


@dataclass(frozen=True, slots=True)
class Predictions(Sequence[Answer]):
    """An answer for each image, in their order."""

    answers: tuple[Answer, ...]

    @property
    def failed(self) -> tuple[FailedPrediction, ...]:
        """The images that could not be answered."""
        return tuple(each for each in self.answers if isinstance(each, FailedPrediction))

    def one(self) -> Prediction:
        """The prediction for the only image; raises Refused where it could not be answered."""
        (answer,) = self.answers
        if isinstance(answer, FailedPrediction):
            raise refusal(answer.problem)
        return answer

    def __len__(self) -> int:
        return len(self.answers)

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.answers)

    @overload
    def __getitem__(self, place: int) -> Answer: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Answer, ...]: ...

    def __getitem__(self, place: int | slice) -> Answer | tuple[Answer, ...]:
        return self.answers[place]
