"""Data sets made from others: native labels, parts, and the labels a network gives itself."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from models.labels import LabelKind, LabelSet
from models.preprocessing import Preprocessing
from training.config.backbone import BackboneConfig, BackboneName, FileWeights
from training.data.canonical import CanonicalDataset, Split
from training.data.importers.listing import Record
from training.evidence.derived import Derived, drawn_files, native_multi, part_of
from training.evidence.self_labels import NoClassifier, classifier, self_labelled

SPEC = Preprocessing(size=8, mean=(0, 0, 0), std=(1, 1, 1))
EMOTIONS = LabelSet(names=("joy", "awe", "fear"))


def made(
    root: Path, name: str, label_sets: Mapping[LabelKind, LabelSet], records: list[Record]
) -> CanonicalDataset:
    """A data set of pictures that are red, green, blue, red, ... in this order."""
    folder = root / f"{name}-pictures"
    images = []
    for number, record in enumerate(records):
        picture = folder / record.file_name
        picture.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((8, 8, 3), number, dtype=np.uint8)
        pixels[..., number % 3] = 200
        Image.fromarray(pixels).save(picture)
        images.append((picture, record))
    Derived(name, label_sets, images, "Generated.").make(root, name)
    return CanonicalDataset.open(root / name)


def shares(number: int, *values: float, split: Split = Split.TRAIN) -> Record:
    return Record(f"images/{number}.png", split, shares=values)


def test_native_labels_hold_from_a_share_of_viewers_on(tmp_path: Path) -> None:
    records = [
        shares(0, 0.6, 0.3, 0.0),  # of shares that sum to 0.9 and stay as they are
        shares(1, 0.299994, 0.1, 0.5),  # written with few digits: 0.3 is meant
        shares(2, 0.0, 0.29, 0.0, split=Split.TEST),
    ]
    dataset = made(tmp_path, "paintings", {LabelKind.DISTRIBUTION: EMOTIONS}, records)
    native_multi(dataset, "native", at_least=0.3, images=1).make(tmp_path, "Native")
    native = CanonicalDataset.open(tmp_path / "native")
    assert native.label_sets == {LabelKind.MULTI: EMOTIONS}
    assert [sample.multi for sample in native.samples] == [(0, 1), (0, 2), ()]
    assert [sample.split for sample in native.samples] == [Split.TRAIN, Split.TRAIN, Split.TEST]


def test_a_label_that_holds_for_few_images_is_none(tmp_path: Path) -> None:
    records = [shares(0, 0.6, 0.4, 0.0), shares(1, 0.5, 0.0, 0.4), shares(2, 0.0, 0.0, 0.5)]
    dataset = made(tmp_path, "paintings", {LabelKind.DISTRIBUTION: EMOTIONS}, records)
    found = native_multi(dataset, "native", at_least=0.3, images=2)
    assert found.label_sets[LabelKind.MULTI].names == ("joy", "fear")
    assert [record.labels for _, record in found.records] == [("joy",), ("joy", "fear"), ("fear",)]


def test_a_part_keeps_labels_and_the_other_splits(tmp_path: Path) -> None:
    classes = LabelSet(names=("red", "green", "blue"))
    splits = [Split.TRAIN] * 9 + [Split.VAL] * 3
    records = [
        Record(f"images/{n}.png", split, label=classes.names[n % 3], captions=(f"number {n}",))
        for n, split in enumerate(splits)
    ]
    dataset = made(tmp_path, "colours", {LabelKind.SINGLE: classes}, records)
    files = drawn_files(dataset, fraction=1 / 3, seed=0)
    assert files == drawn_files(dataset, fraction=1 / 3, seed=0)
    part_of(dataset, "part", files=files).make(tmp_path, "A part")
    part = CanonicalDataset.open(tmp_path / "part")
    drawn = part.subset(Split.TRAIN)
    assert sorted(sample.single or 0 for sample in drawn) == [0, 1, 2]  # one of each class
    assert {sample.file_name for sample in drawn} == files
    assert part.subset(Split.VAL) == dataset.subset(Split.VAL)
    assert {*part.samples} <= {*dataset.samples}
    assert part.label_sets == dataset.label_sets


class Brightest(nn.Module):
    """Takes an image for the class of its brightest channel, of four classes."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([images.mean(dim=(2, 3)), torch.zeros(len(images), 1)], dim=1)


def test_images_are_labelled_by_the_network_itself(tmp_path: Path) -> None:
    captions = {LabelKind.SINGLE: LabelSet(names=("x",))}
    order = [Split.TRAIN, Split.TRAIN, Split.VAL, Split.VAL, Split.TEST]
    sets = [
        made(
            tmp_path,
            name,
            captions,
            [Record(f"images/{n}.png", split, label="x") for n, split in enumerate(order)],
        )
        for name in ("first", "second")
    ]
    self_labelled(sets, Brightest(), "own", spec=SPEC).make(tmp_path, "Own labels")
    own = CanonicalDataset.open(tmp_path / "own")
    # Red and green are seen in training; blue in validation alone, and left out; no test image.
    assert own.label_sets[LabelKind.SINGLE].names == ("imagenet 000", "imagenet 001")
    found = {sample.file_name: (sample.split, sample.single) for sample in own.samples}
    assert found["images/first/0.png"] == (Split.TRAIN, 0)
    assert found["images/first/1.png"] == (Split.TRAIN, 1)
    assert found["images/first/3.png"] == (Split.VAL, 0)
    assert len([name for name in found if name.startswith("images/first/")]) == 3


def test_a_network_that_starts_at_random_has_no_classes() -> None:
    with pytest.raises(NoClassifier, match="starts random has no ImageNet classes"):
        classifier(BackboneConfig(name=BackboneName.MOBILENET_V2))


def test_weights_without_a_classifier_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "body.pth"
    torch.save({"features.0.0.weight": torch.zeros(32, 3, 3, 3)}, file)
    config = BackboneConfig(name=BackboneName.MOBILENET_V2, weights=FileWeights(path=file))
    with pytest.raises(NoClassifier, match="holds no classifier of mobilenet_v2"):
        classifier(config)
