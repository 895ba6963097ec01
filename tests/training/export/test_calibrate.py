"""What calibration writes into the manifest's outputs."""

import math

import numpy as np
import pytest

from models.labels import LabelKind, LabelSet
from training.backbone import build_backbone
from training.config.backbone import BackboneConfig, BackboneName
from training.evaluation import Predictions
from training.export.calibrate import NothingToCalibrate, calibrated_outputs
from training.network import SentimentNetwork

SINGLE, MULTI, DISTRIBUTION = LabelKind
PAIR = LabelSet(names=("b", "a"))
LN3 = math.log(3)


def network(*kinds: LabelKind) -> SentimentNetwork:
    """A network with a head of two labels a kind; the biases are 1 and 2."""
    backbone = build_backbone(BackboneConfig(name=BackboneName.MOBILENET_V2))
    made = SentimentNetwork(backbone, dict.fromkeys(kinds, PAIR), dropout=0.0)
    for kind in kinds:
        made.head(kind).linear.bias.data[:] = made.head(kind).linear.bias.data.new([1.0, 2.0])
    return made


def found(kind: LabelKind) -> dict[LabelKind, Predictions]:
    """Logits of 4 images, over-confident by a factor of 2, and the targets."""
    logits = np.array([[2 * LN3, 0.0]] * 4)
    targets = {
        SINGLE: np.array([0, 0, 0, 1]),
        MULTI: np.array([[1.0, 0.0]] * 4),
        DISTRIBUTION: np.array([[0.75, 0.25]] * 4),
    }
    return {kind: Predictions(logits, targets[kind])}


@pytest.mark.parametrize("kind", [SINGLE, DISTRIBUTION])
def test_temperature_undoes_an_overconfidence(kind: LabelKind) -> None:
    # Three in four have the first label: softmax(z / T) = (3/4, 1/4) needs z / T = (ln 3, 0).
    (output,) = calibrated_outputs(network(kind), found(kind))
    assert output.temperature == pytest.approx(2.0, rel=1e-4)
    assert output.thresholds is None


def test_thresholds_lie_between_positives_and_negatives() -> None:
    logits = np.array([[LN3, -LN3], [LN3, LN3], [-LN3, -LN3]])  # probabilities 3/4 and 1/4
    targets = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    (output,) = calibrated_outputs(network(MULTI), {MULTI: Predictions(logits, targets)})
    assert output.thresholds == pytest.approx((0.5, 0.5))
    assert output.temperature == 1.0


def test_thresholds_stay_inside_zero_and_one() -> None:
    logits = np.array([[40.0, -40.0], [40.0, -41.0]])
    targets = np.array([[1.0, 1.0], [0.0, 0.0]])
    (output,) = calibrated_outputs(network(MULTI), {MULTI: Predictions(logits, targets)})
    assert output.thresholds is not None
    assert all(0 < threshold < 1 for threshold in output.thresholds)


def test_outputs_keep_label_order_kind_order_and_bias() -> None:
    logits = found(MULTI) | found(DISTRIBUTION) | found(SINGLE)
    outputs = calibrated_outputs(network(SINGLE, MULTI, DISTRIBUTION), logits)
    assert [output.kind for output in outputs] == [SINGLE, MULTI, DISTRIBUTION]
    assert all(output.labels.names == ("b", "a") for output in outputs)
    assert all(output.bias == (1.0, 2.0) for output in outputs)


def test_a_head_without_validation_samples_is_refused() -> None:
    with pytest.raises(NothingToCalibrate, match="no sample with multi, distribution labels"):
        calibrated_outputs(network(SINGLE, MULTI, DISTRIBUTION), found(SINGLE))
