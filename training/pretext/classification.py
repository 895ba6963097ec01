"""Classification of scenes or of adjective-noun pairs: the corpus's single labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn
from torchvision.transforms.functional import to_pil_image

from models.labels import LabelKind, LabelSet
from models.preprocessing import Channels, Preprocessing
from training.backbone import Backbone
from training.config.pretraining import ClassificationConfig
from training.data.canonical import CanonicalDataset, Sample, Split
from training.data.labelled import KindNotOffered, LabelSetsDiffer
from training.heads import LabelHead
from training.objectives import cross_entropy
from training.pretext.pictures import Denormalization, grid
from training.pretext.task import Example, Examples, Figure
from training.transforms.augment import training_transform

_UNKNOWN = -1
"""The class of a sample that has no label; it is in no loss and no figure."""

_TOP = 5
_SHOWN = 8
_FONT_SIZE, _LINE = 12, 16  # pixels


class ClassificationHead(nn.Module):
    """A label head over the classes, and what its panel and its rival have to know of them."""

    def __init__(
        self,
        backbone: Backbone,
        *,
        labels: LabelSet,
        frequent: Sequence[int],
        denormalization: Denormalization,
    ) -> None:
        super().__init__()
        self.labels = labels
        self.frequent: Tensor
        self.register_buffer("frequent", torch.tensor(frequent), persistent=False)
        self.denormalization = denormalization
        self.label_head = LabelHead(backbone.channels[-1], len(labels), dropout=0.0)

    def images(self, batch: Examples) -> Tensor:
        """The images, B,3,H,W."""
        return batch["image"]

    def forward(self, backbone: Backbone, images: Tensor) -> Tensor:
        """Logits B,K of the K classes, of normalised images B,3,H,W."""
        logits: Tensor = self.label_head(backbone(images)[-1])
        return logits.float()

    def losses(self, backbone: Backbone, batch: Examples) -> dict[str, Tensor]:
        """Cross-entropy of the class, a mean over the samples that have one."""
        truth = batch["label"]
        logits = self(backbone, batch["image"])
        return {"cross_entropy": cross_entropy(logits, truth, present=truth != _UNKNOWN)}

    @torch.no_grad()
    def figures(self, backbone: Backbone, batch: Examples) -> dict[str, Figure]:
        """`top1` and `top5` accuracy, and the rival's that always says the frequent classes."""
        truth = batch["label"]
        ranked = self(backbone, batch["image"]).topk(len(self.frequent)).indices  # B,5
        always = self.frequent.expand_as(ranked)
        return {
            "top1": _hits(ranked[:, :1], truth),
            "top5": _hits(ranked, truth),
            "top1_frequent": _hits(always[:, :1], truth),
            "top5_frequent": _hits(always, truth),
        }

    @torch.no_grad()
    def panel(self, backbone: Backbone, batch: Examples) -> Tensor:
        """Images above what they are said to be and what they are."""
        images, truth = batch["image"][:_SHOWN], batch["label"][:_SHOWN]
        said = self(backbone, images).argmax(dim=1)
        pictures = self.denormalization(images).cpu()
        titled = [
            _titled(picture, said=self._name(at), truth=self._name(label))
            for picture, at, label in zip(pictures, said.tolist(), truth.tolist(), strict=True)
        ]
        return grid(torch.stack(titled), across=_SHOWN // 2)

    def _name(self, label: int) -> str:
        return "unknown" if label == _UNKNOWN else self.labels.names[label]


class ClassificationTask:
    """The single labels of data sets that agree on them; images are cropped at random."""

    def __init__(
        self,
        config: ClassificationConfig,
        datasets: Sequence[CanonicalDataset],
        *,
        mean: Channels,
        std: Channels,
    ) -> None:
        self.fixed = Preprocessing(size=config.resize, mean=mean, std=std)
        self._transform = training_transform(self.fixed, config.size)
        self._labels = common_labels(datasets)
        self._frequent = _most_frequent(datasets, classes=len(self._labels))

    @property
    def facts(self) -> Mapping[str, Any]:
        """`classes` in the order of the head's logits."""
        return {
            "mean": list(self.fixed.mean),
            "std": list(self.fixed.std),
            "classes": list(self._labels.names),
        }

    def example(self, image: Image.Image, sample: Sample, rng: np.random.Generator) -> Example:
        """`image` 3,H,W, normalised, and the number of its class, `label`, or -1."""
        label = _UNKNOWN if sample.single is None else sample.single
        return {
            "image": self._transform(image, rng),
            "label": np.asarray(label, dtype=np.int64),
        }

    def head(self, backbone: Backbone) -> ClassificationHead:
        return ClassificationHead(
            backbone,
            labels=self._labels,
            frequent=self._frequent,
            denormalization=Denormalization(self.fixed.mean, self.fixed.std),
        )


def common_labels(datasets: Sequence[CanonicalDataset]) -> LabelSet:
    """The one set of single labels of all `datasets`; raises KindNotOffered, LabelSetsDiffer."""
    for dataset in datasets:
        if LabelKind.SINGLE not in dataset.label_sets:
            offered = ", ".join(dataset.label_sets) or "none"
            raise KindNotOffered(
                f"data set {dataset.name} has no single labels; it offers: {offered}"
            )
    first, *others = datasets
    labels = first.label_sets[LabelKind.SINGLE]
    for other in others:
        names = other.label_sets[LabelKind.SINGLE].names
        if names != labels.names:
            raise LabelSetsDiffer(
                f"single labels of {first.name} are {len(labels)}, from {labels.names[0]!r} to "
                f"{labels.names[-1]!r}, of {other.name} {len(names)}, from {names[0]!r} to "
                f"{names[-1]!r}; one head needs one label set"
            )
    return labels


def _most_frequent(datasets: Sequence[CanonicalDataset], *, classes: int) -> list[int]:
    """The up to five classes that most training samples have; of equals, the first."""
    counts = Counter(
        sample.single for dataset in datasets for sample in dataset.subset(Split.TRAIN)
    )
    return sorted(range(classes), key=lambda label: -counts[label])[:_TOP]


def _hits(said: Tensor, truth: Tensor) -> Figure:
    """In how many of the samples with a label it is among those said, B,k."""
    return Figure(float((said == truth[:, None]).sum()), int((truth != _UNKNOWN).sum()))


def _titled(picture: Tensor, *, said: str, truth: str) -> Tensor:
    """A picture 3,H,W with two lines below it, 3,H+32,W: green where they agree, red if not."""
    height, width = picture.shape[1:]
    canvas = Image.new("RGB", (width, height + 2 * _LINE), "white")
    canvas.paste(to_pil_image(picture), (0, 0))
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(_FONT_SIZE)
    draw.text((2, height), f"said {said}", fill="green" if said == truth else "red", font=font)
    draw.text((2, height + _LINE), f"true {truth}", fill="black", font=font)
    return torch.from_numpy(np.asarray(canvas, dtype=np.float32) / 255).permute(2, 0, 1)
