"""What goes over the wire: bodies, answers and problems."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.labels import LabelKind
from models.manifest import Manifest, Precision, Version
from models.runtime import Provider


class Wire(BaseModel):
    """Base of every document: frozen, unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProblemPart(Wire):
    """One of several things that are wrong."""

    loc: list[str | int] = Field(description="Where: in the query, the body, or which image")
    msg: str


class Problem(Wire):
    """An error, RFC 9457."""

    type: str = Field(examples=["urn:sentiscope:problem:image-too-large"])
    title: str = Field(examples=["The image has too many pixels"])
    status: int = Field(examples=[413])
    detail: str
    instance: str = Field(examples=["/v1/predictions"])
    errors: list[ProblemPart] = []


class JsonImage(Wire):
    """One image of a JSON request: its bytes in base64, or an address."""

    base64: str | None = None
    url: str | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.base64 is None) == (self.url is None):
            raise ValueError('expected either "base64" or "url"')
        return self


class JsonImages(Wire):
    """The JSON form of a request for predictions."""

    images: Annotated[list[JsonImage], Field(min_length=1)]


class ModelVersion(Wire):
    """The exact model that answered."""

    name: str
    version: str
    digest: str = Field(description="SHA-256 of its manifest, and so of all its files")
    precision: Precision = Field(description="Of the graph that ran")
    provider: Provider = Field(description="What it ran on")


class ImageFacts(Wire):
    """What was read."""

    filename: str | None
    format: str
    width: int = Field(description="Pixels, after the turn that an EXIF tag asks for")
    height: int


class Score(Wire):
    """A label's probability or share."""

    label: str
    score: float


class MultiScore(Score):
    """A label's probability, and the score from which on it is selected."""

    threshold: float
    selected: bool


class ConformalSet(Wire):
    """Labels that hold the right one for this share of images like those it was fitted on."""

    coverage: float
    labels: list[str]


class Single(Wire):
    """Exactly one label holds; scores sum to 1."""

    label: str
    score: float
    scores: list[Score]
    set: ConformalSet | None = Field(None, description="Where `coverage` was asked for")


class Multi(Wire):
    """Each label holds or not."""

    labels: list[str] = Field(description="All that are selected, `top_k` or not")
    scores: list[MultiScore]


class Distribution(Wire):
    """Each label's share of the viewers; shares sum to 1."""

    dominant: str
    entropy: float = Field(description="Nats, over all labels")
    scores: list[Score]


class Explanation(Wire):
    """Where in the image a label's evidence lies."""

    output: LabelKind
    label: str
    bias: float = Field(description="The mean over the grid plus the bias is the label's logit")
    grid: list[list[float]]
    png_base64: str = Field(description="The grid laid over what the model sees of the image")


class Prediction(Wire):
    """One image's answer; outputs that were not asked for are absent."""

    image: ImageFacts
    single: Single | None = None
    multi: Multi | None = None
    distribution: Distribution | None = None
    explanation: Explanation | None = None


class FailedPrediction(Wire):
    """What stands in the place of an image that could not be answered."""

    error: Problem


class Predictions(Wire):
    """Predictions in the order of the images."""

    model: ModelVersion
    predictions: list[Prediction | FailedPrediction]


class ModelRecord(Wire):
    """A model's versions, oldest first, and its aliases."""

    name: str
    versions: list[str]
    aliases: dict[str, str]
    fault: str = Field("", description="Why the two cannot be read; absent where they can")


class ModelList(Wire):
    """All models."""

    items: list[ModelRecord]
    next_cursor: str | None = None


class ModelManifest(Manifest):
    """A version's manifest, and the digest that stands for it."""

    digest: str


class AliasTarget(Wire):
    """Where an alias is to point."""

    version: Version = Field(examples=["4"])


class Alive(Wire):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(Wire):
    """Requests can be answered."""

    status: Literal["ready"] = "ready"
    model: ModelVersion
    warnings: list[str] = Field(
        default_factory=list, description="What does not keep the service from answering, but may"
    )
