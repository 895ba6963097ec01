"""What each pretext task is told; the defaults are the paper's numbers."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from training.config import Config, Fraction, Name

NonNegative = Annotated[float, Field(ge=0)]


class TaskConfig(Config):
    """What all tasks are told: their corpus, and how much of it a step sees."""

    datasets: tuple[Name, ...] = Field(min_length=1, description="Canonical data sets")
    batch_size: PositiveInt = 32


class ColorizationConfig(TaskConfig):
    """Tell the colours from the lightness alone."""

    task: Literal["colorization"] = "colorization"
    batch_size: PositiveInt = 8
    resize: PositiveInt = Field(256, description="Side every image is squashed to")
    size: PositiveInt = Field(224, description="Side of the random crop")


class SuperResolutionConfig(TaskConfig):
    """Tell an image four times as wide and high from its small copy."""

    task: Literal["super_resolution"] = "super_resolution"
    batch_size: PositiveInt = 8
    size: PositiveInt = Field(64, description="Side of the input; the target's is four times it")


class JigsawConfig(TaskConfig):
    """Tell in which of the known orders the tiles of an image were put."""

    task: Literal["jigsaw"] = "jigsaw"
    tile: PositiveInt = Field(64, description="Side of a tile; an image has 3x3")
    permutations: Annotated[int, Field(ge=2, le=10_000)] = 1000
    permutation_seed: Annotated[int, Field(ge=0)] = 0


class ClassificationConfig(TaskConfig):
    """Tell the class of an image."""

    resize: PositiveInt = Field(256, description="Side every image is squashed to")
    size: PositiveInt = Field(224, description="Side of the random crop")


class SceneConfig(ClassificationConfig):
    """Tell the scene; the classes are the corpus's single labels."""

    task: Literal["scene"] = "scene"


class AnpConfig(ClassificationConfig):
    """Tell the adjective-noun pair; the classes are the corpus's single labels."""

    task: Literal["anp"] = "anp"


class CaptioningConfig(TaskConfig):
    """Say in words what an image shows: Show, Attend and Tell (Xu et al., ICML 2015)."""

    task: Literal["captioning"] = "captioning"
    size: PositiveInt = Field(256, description="Side every image is squashed to (Lanczos)")
    embedding: PositiveInt = 128
    hidden: PositiveInt = 512
    attention: PositiveInt = 512
    dropout: Fraction = 0.1
    attention_penalty: NonNegative = 1.0
    min_count: PositiveInt = Field(5, description="Rarer words are unknown words")
    max_words: PositiveInt = Field(30, description="Longer captions are cut")


Task = Annotated[
    ColorizationConfig
    | SuperResolutionConfig
    | JigsawConfig
    | SceneConfig
    | AnpConfig
    | CaptioningConfig,
    Field(discriminator="task"),
]
