"""Images labelled by the ImageNet classifier itself: what plain continuation trains on.

ImageNet is not at hand, so its training is continued on the pre-trainings' own images, with the
classes that the network already sees in them. No sentiment, no pretext task, nothing new but the
images enters (Lee, "Pseudo-Label", ICML workshop 2013).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import safetensors.torch
import torch
import torchvision.models as tv
from torch import Tensor, nn

from models.labels import LabelKind, LabelSet
from models.preprocessing import Preprocessing, preprocess
from training.backbone import BACKBONES
from training.config.backbone import BackboneConfig, FileWeights, TorchvisionWeights
from training.data.canonical import CanonicalDataset, Sample, Split
from training.data.decoding import decoded
from training.data.importers.listing import Record
from training.errors import TrainingError
from training.evidence.derived import Derived

_BATCH_SIZE = 32


class NoClassifier(TrainingError):
    """The weights of a backbone hold no ImageNet classifier."""


def self_labelled(
    datasets: Sequence[CanonicalDataset], classify: nn.Module, name: str, *, spec: Preprocessing
) -> Derived:
    """The training and validation images of the data sets, each with the class it is taken for.

    A class that no training image is taken for is no label, and its validation images stay out.
    """
    found = [
        (dataset, sample, number)
        for dataset in datasets
        for sample, number in _classes(dataset, classify, spec)
    ]
    counts = Counter(number for _, sample, number in found if sample.split is Split.TRAIN)
    kept = sorted(counts)
    names = {number: f"imagenet {number:03}" for number in kept}
    records = [
        (
            dataset.root / sample.file_name,
            Record(_own(dataset, sample), sample.split, label=names[number]),
        )
        for dataset, sample, number in found
        if number in names
    ]
    labels = LabelSet(names=tuple(names.values()))
    return Derived(name, {LabelKind.SINGLE: labels}, records, "As of the data sets it is made of.")


def classifier(config: BackboneConfig) -> nn.Module:
    """The ImageNet network that a backbone is cut from, classifier and all; raises NoClassifier."""
    network = BACKBONES[config.name].build()
    try:
        network.load_state_dict(_state(config))
    except (RuntimeError, OSError) as error:
        raise NoClassifier(
            f"{config.weights} holds no classifier of {config.name} ({error}); plain continuation "
            "needs the weights of a whole ImageNet network"
        ) from error
    return network.eval()


def _state(config: BackboneConfig) -> dict[str, Tensor]:
    match config.weights:
        case FileWeights(path=path) if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        case FileWeights(path=path):
            return dict(torch.load(path, map_location="cpu", weights_only=True))
        case TorchvisionWeights():
            found: dict[str, Tensor] = tv.get_model_weights(
                config.name.value
            ).IMAGENET1K_V1.get_state_dict()
            return found
    raise NoClassifier(f"a network that starts {config.weights.source} has no ImageNet classes")


def _classes(
    dataset: CanonicalDataset, classify: nn.Module, spec: Preprocessing
) -> Iterator[tuple[Sample, int]]:
    samples = [*dataset.subset(Split.TRAIN), *dataset.subset(Split.VAL)]
    for start in range(0, len(samples), _BATCH_SIZE):
        part = samples[start : start + _BATCH_SIZE]
        pixels = [torch.from_numpy(preprocess(decoded(dataset, sample), spec)) for sample in part]
        with torch.inference_mode():
            logits = classify(torch.stack(pixels))  # B,1000
        yield from zip(part, logits.argmax(dim=1).tolist(), strict=True)


def _own(dataset: CanonicalDataset, sample: Sample) -> str:
    """A name that two data sets cannot both have."""
    return f"images/{dataset.root.name}/{Path(sample.file_name).relative_to('images').as_posix()}"
