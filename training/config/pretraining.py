"""What each pretext task, and the pre-training on a pair of them, is told: the paper's numbers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from training.config.backbone import BackboneConfig
from training.config.fields import Config, Fraction, Name, NonNegativeFloat, PositiveFloat, Seed
from training.config.image import IMAGENET_MEAN, IMAGENET_STD, Triple
from training.config.optimization import (
    ComputeConfig,
    Optimizer,
    Schedule,
    SgdConfig,
    StepSchedule,
)


def _check_crop(size: int, *, resize: int) -> None:
    if size > resize:
        raise ValueError(
            f"size {size} is larger than resize {resize}: a crop of {size} pixels does not fit "
            f"into an image squashed to {resize}; lower size or raise resize"
        )


class TaskConfig(Config):
    """What all tasks are told: their corpus, how much of it a step sees, how fast they learn."""

    datasets: tuple[Name, ...] = Field(min_length=1, description="Canonical data sets")
    batch_size: PositiveInt = Field(32, description="Images a step, over all processes")
    head_learning_rate: PositiveFloat | None = Field(
        None, description="Of this task's head; none: as the optimizer has it for all"
    )


class ColorizationConfig(TaskConfig):
    """Tell the colours from the lightness alone."""

    task: Literal["colorization"] = "colorization"
    batch_size: PositiveInt = Field(8, description="Images a step, over all processes")
    resize: PositiveInt = Field(256, description="Side every image is squashed to")
    size: PositiveInt = Field(224, description="Side of the random crop")

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        _check_crop(self.size, resize=self.resize)
        return self


class SuperResolutionConfig(TaskConfig):
    """Tell an image four times as wide and high from its small copy."""

    task: Literal["super_resolution"] = "super_resolution"
    batch_size: PositiveInt = Field(8, description="Images a step, over all processes")
    size: PositiveInt = Field(64, description="Side of the input; the target's is four times it")


class JigsawConfig(TaskConfig):
    """Tell in which of the known orders the tiles of an image were put."""

    task: Literal["jigsaw"] = "jigsaw"
    tile: PositiveInt = Field(64, description="Side of a tile; an image has 3x3")
    permutations: Annotated[int, Field(ge=2, le=10_000)] = Field(
        1000, description="Orders to tell apart, chosen to differ in as many places as possible"
    )
    permutation_seed: Annotated[int, Field(ge=0)] = Field(0, description="Seed of that choice")


class ClassificationConfig(TaskConfig):
    """Tell the class of an image."""

    resize: PositiveInt = Field(256, description="Side every image is squashed to")
    size: PositiveInt = Field(224, description="Side of the random crop")

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        _check_crop(self.size, resize=self.resize)
        return self


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
    embedding: PositiveInt = Field(128, description="Numbers that stand for a word")
    hidden: PositiveInt = Field(512, description="Numbers of the decoder's state")
    attention: PositiveInt = Field(512, description="Width of the attention's layer")
    dropout: Fraction = Field(0.1, description="Share of the state dropped before a word is told")
    attention_penalty: NonNegativeFloat = Field(
        1.0, description="Weight of the term that makes the decoder look everywhere in the end"
    )
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


class Step(StrEnum):
    """The steps of human sentiment perception."""

    STIMULI = "stimuli"
    """Stimuli taking: colours and fine texture."""

    ORGANIZING = "organizing"
    """Holistic organizing: the whole from its parts."""

    PERCEIVING = "perceiving"
    """High-level perceiving: emotional meaning."""


STEP_TASKS: Mapping[Step, tuple[str, str]] = {
    Step.STIMULI: ("colorization", "super_resolution"),
    Step.ORGANIZING: ("jigsaw", "scene"),
    Step.PERCEIVING: ("anp", "captioning"),
}


class PretrainConfig(Config):
    """Imitate one step of perception: train a backbone on its two tasks, their losses summed."""

    recipe: Literal["pretrain"] = "pretrain"
    step: Step = Field(description="Step of perception; it says which tasks there may be")
    seed: Seed = 0
    backbone: BackboneConfig
    tasks: tuple[Task, ...] = Field(
        min_length=1, max_length=2, description="The step's pair; one of it alone is an ablation"
    )
    mean: Triple = Field(IMAGENET_MEAN, description="Taken from red, green and blue in [0, 1]")
    std: Triple = Field(IMAGENET_STD, description="What they are divided by afterwards")
    accumulate: PositiveInt = Field(
        1, description="Parts a process cuts its batches into, one at a time in memory"
    )
    epochs: PositiveInt = Field(12, description="Rounds of steps_per_epoch steps")
    steps_per_epoch: PositiveInt | None = Field(
        None, description="None: until the largest corpus was seen once"
    )
    optimizer: Optimizer = SgdConfig(learning_rate=0.01)
    schedule: Schedule = StepSchedule(every_epochs=4)
    max_unreadable: Fraction = Field(
        0.01, description="Share of the images that may prove unreadable before the run stops"
    )
    checkpoint_every_s: PositiveFloat = Field(300.0, description="Seconds between checkpoints")
    compute: ComputeConfig = ComputeConfig()

    @model_validator(mode="after")
    def _tasks_are_the_steps(self) -> Self:
        given, known = [task.task for task in self.tasks], STEP_TASKS[self.step]
        if len(set(given)) != len(given) or not set(given) <= set(known):
            raise ValueError(f"the tasks of {self.step} are {' and '.join(known)}, given: {given}")
        return self
