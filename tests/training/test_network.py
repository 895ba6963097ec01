"""A network has a head for each kind of label, in LabelKind's order, and keeps the batch's axis."""

import pytest
import torch

from models.labels import EMOTION6, MIKELS, LabelKind, LabelSet
from training.backbone import build_backbone
from training.config.backbone import BackboneConfig, BackboneName
from training.network import SentimentNetwork

LABEL_SETS = {
    LabelKind.SINGLE: MIKELS,
    LabelKind.MULTI: LabelSet(names=("one",)),
    LabelKind.DISTRIBUTION: EMOTION6,
}


@pytest.fixture(scope="module")
def network() -> SentimentNetwork:
    backbone = build_backbone(BackboneConfig(name=BackboneName.MOBILENET_V2))
    return SentimentNetwork(backbone, LABEL_SETS, dropout=0.0).eval()


@pytest.mark.parametrize("count", [1, 3])
@torch.inference_mode()
def test_logits_have_a_row_an_image_and_a_column_a_label(
    network: SentimentNetwork, count: int
) -> None:
    logits = network(torch.zeros(count, 3, 32, 32)).logits
    assert {kind: part.shape for kind, part in logits.items()} == {
        LabelKind.SINGLE: (count, 8),
        LabelKind.MULTI: (count, 1),
        LabelKind.DISTRIBUTION: (count, 7),
    }
    assert list(logits) == list(LabelKind)


@torch.inference_mode()
def test_a_pass_gives_the_feature_maps_of_all_stages(network: SentimentNetwork) -> None:
    maps = network(torch.zeros(1, 3, 64, 64)).maps
    assert tuple(part.shape[1] for part in maps) == network.backbone.channels


def test_heads_are_found_by_kind(network: SentimentNetwork) -> None:
    assert network.head(LabelKind.DISTRIBUTION).linear.out_features == 7
