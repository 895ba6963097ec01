"""Device and arithmetic are what was asked for, or an error; never something else in silence."""

import pytest
import torch
from torch import nn

from models.labels import LabelKind
from training.compute import Compute, DeviceUnavailable, seed_everything
from training.config.optimization import ComputeConfig, Precision
from training.data.labelled import Batch

without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


def on_cpu(precision: Precision) -> Compute:
    return Compute.choose(ComputeConfig(device="cpu", precision=precision))


@without_cuda
def test_a_cuda_device_that_is_absent_is_an_error() -> None:
    with pytest.raises(DeviceUnavailable, match="use 'cpu' or 'auto'"):
        Compute.choose(ComputeConfig(device="cuda"))


@without_cuda
def test_auto_is_the_cpu_where_there_is_nothing_else() -> None:
    assert Compute.choose(ComputeConfig()).device == torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        (Precision.AUTO, torch.float32),  # bfloat16 pays on CUDA devices alone
        (Precision.FLOAT32, torch.float32),
        (Precision.BFLOAT16, torch.bfloat16),
    ],
)
def test_forward_passes_run_in_the_precision_asked_for(
    precision: Precision, dtype: torch.dtype
) -> None:
    layer = nn.Linear(2, 2)
    with on_cpu(precision).autocast():
        assert layer(torch.ones(1, 2)).dtype is dtype
    assert layer.weight.dtype is torch.float32


def test_convolutions_and_images_lie_channels_last() -> None:
    compute = on_cpu(Precision.FLOAT32)
    network, images = nn.Conv2d(3, 4, 3), torch.rand(2, 3, 5, 5)
    before = network.weight.detach().clone()
    compute.place(network)
    placed = compute.images(images)
    assert network.weight.is_contiguous(memory_format=torch.channels_last)
    assert placed.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(network.weight, before)
    assert torch.equal(placed, images)


def test_a_batch_is_moved_with_its_targets_and_who_has_them() -> None:
    kind = LabelKind.SINGLE
    batch = Batch(
        torch.rand(2, 3, 5, 5), {kind: torch.tensor([1, 0])}, {kind: torch.tensor([True, False])}
    )
    moved = on_cpu(Precision.FLOAT32).move(batch)
    assert moved.targets[kind].tolist() == [1, 0]
    assert moved.present[kind].tolist() == [True, False]


def test_a_seed_repeats_initialisation_and_dropout() -> None:
    def drawn() -> torch.Tensor:
        seed_everything(3)
        dropped: torch.Tensor = nn.Dropout(0.5)(nn.Linear(20, 20).weight)
        return dropped

    assert torch.equal(drawn(), drawn())
