"""A backbone with one label head a kind: what is fine-tuned, amalgamated and exported."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from models.labels import LabelKind, LabelSet
from training.backbone import Backbone
from training.heads import LabelHead


class Forward(NamedTuple):
    """One pass: the four stages' feature maps (B,C_k,h_k,w_k) and logits (B,K) by kind."""

    maps: tuple[Tensor, ...]
    logits: dict[LabelKind, Tensor]


class SentimentNetwork(nn.Module):
    """Images to logits of every output."""

    def __init__(
        self, backbone: Backbone, label_sets: Mapping[LabelKind, LabelSet], *, dropout: float
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.label_sets = dict(label_sets)
        self.heads = nn.ModuleDict(
            {
                kind.value: LabelHead(backbone.channels[-1], len(labels), dropout=dropout)
                for kind, labels in label_sets.items()
            }
        )

    def head(self, kind: LabelKind) -> LabelHead:
        """The label head of `kind`."""
        head = self.heads[kind.value]
        assert isinstance(head, LabelHead)
        return head

    def forward(self, images: Tensor) -> Forward:
        """Feature maps and logits of `images` (B,3,H,W, normalised)."""
        maps = self.backbone(images)
        return Forward(maps, {kind: self.head(kind)(maps[-1]) for kind in self.label_sets})
