"""Device and arithmetic are what was asked for, or an error; never something else in silence."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from models.labels import LabelKind
from training.compute import Compute, DeviceUnavailable, computes_bfloat16, seed_everything
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
    ("precision", "has_bfloat16", "dtype"),
    [
        (Precision.AUTO, False, torch.float32),
        (Precision.AUTO, True, torch.bfloat16),
        (Precision.FLOAT32, True, torch.float32),
        (Precision.BFLOAT16, False, torch.bfloat16),
    ],
)
def test_forward_passes_run_in_the_precision_asked_for(
    precision: Precision,
    has_bfloat16: bool,
    dtype: torch.dtype,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("training.compute.computes_bfloat16", lambda device: has_bfloat16)
    emulates = dtype is torch.bfloat16 and not has_bfloat16
    layer = nn.Linear(2, 2)
    with on_cpu(precision).autocast():
        assert layer(torch.ones(1, 2)).dtype is dtype
    assert layer.weight.dtype is torch.float32
    assert ("emulates it, many times slower" in caplog.text) == emulates


def test_instructions_for_bfloat16_are_those_that_the_kernel_lists() -> None:
    told = set(re.findall(r"avx512_bf16|amx_tile", Path("/proc/cpuinfo").read_text()))
    assert computes_bfloat16("cpu") == bool(told)


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
