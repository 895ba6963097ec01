"""The pretext tasks there are."""

from collections.abc import Sequence

from models.preprocessing import Channels
from training.config.pretraining import (
    AnpConfig,
    CaptioningConfig,
    ColorizationConfig,
    JigsawConfig,
    SceneConfig,
    SuperResolutionConfig,
    Task,
)
from training.data.canonical import CanonicalDataset
from training.pretext.classification import ClassificationTask
from training.pretext.colorization import ColorizationTask
from training.pretext.jigsaw import JigsawTask
from training.pretext.super_resolution import SuperResolutionTask
from training.pretext.task import PretextTask


def build_task(
    config: Task, datasets: Sequence[CanonicalDataset], *, mean: Channels, std: Channels
) -> PretextTask:
    """The configured task on its corpus, for a backbone whose inputs have this mean and std."""
    match config:
        case ColorizationConfig():
            return ColorizationTask.of(config, datasets)
        case SuperResolutionConfig():
            return SuperResolutionTask(config, mean=mean, std=std)
        case JigsawConfig():
            return JigsawTask(config, mean=mean, std=std)
        case SceneConfig() | AnpConfig():
            return ClassificationTask(config, datasets, mean=mean, std=std)
        case CaptioningConfig():
            from training.pretext.captioning import CaptioningTask

            return CaptioningTask.of(config, datasets, mean=mean, std=std)
