"""What an import of a public layout is told."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from training.config.fields import Config, Name, Seed

MAX_FILE_BYTES = 256 * 2**20
"""A larger member of a zip file is refused before it is unpacked."""


class ImportFormat(StrEnum):
    """The public layouts that can be imported; `docs/datasets.md` describes each."""

    CLASS_FOLDER = "class_folder"
    IMAGEFOLDER = "imagefolder"
    FI = "fi"
    EMOTIONROI = "emotionroi"
    TWITTER = "twitter"
    ARTPHOTO = "artphoto"
    ABSTRACT = "abstract"
    EMOTION6 = "emotion6"
    LDL = "ldl"
    EMOTIC = "emotic"
    EMOSET = "emoset"
    WEBEMO = "webemo"
    WIKIART_EMOTIONS = "wikiart_emotions"
    ARTEMIS = "artemis"
    SENTIBANK = "sentibank"
    PLACES365 = "places365"
    MINIPLACES = "miniplaces"
    FLICKR8K = "flickr8k"
    ANP_MINED = "anp_mined"
    CANONICAL = "canonical"


class ImportConfig(Config):
    """Make a canonical data set from files in a public layout."""

    recipe: Literal["import"] = "import"
    name: Name = Field(description="Name of the canonical data set")
    format: ImportFormat = Field(description="A public layout; docs/datasets.md lists them")
    sources: tuple[Path, ...] = Field(min_length=1, description="One folder, or zip files")
    title: str | None = Field(None, description="Name in reports; none: the name")
    terms: str | None = Field(None, description="Licence or terms of use")
    labels: tuple[str, ...] | None = Field(None, description="Class order; none: the layout's")
    test_fold: Annotated[int, Field(ge=0)] = Field(0, description="The fold that is the test split")
    val_fraction: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="Part that is drawn for validation where the layout has none"
    )
    seed: Seed = Field(0, description="Seed of that draw")
    skip_unreadable: bool = Field(False, description="Leave unreadable images out")
    min_images: PositiveInt = Field(15, description="Images a mined pair needs")
