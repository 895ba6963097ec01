"""Super-resolution: what the head is given, its decibels, and its rival."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.training.pretext.tiny import (
    MEAN,
    STD,
    backbone,
    batch,
    example,
    learn,
    painted,
    picture,
    stages_with_gradient,
)
from training.config.pretraining import SuperResolutionConfig
from training.pretext.super_resolution import SuperResolutionHead, SuperResolutionTask
from training.pretext.task import stacked


def task(size: int = 16) -> SuperResolutionTask:
    config = SuperResolutionConfig(datasets=("tiny",), size=size)
    return SuperResolutionTask(config, mean=MEAN, std=STD)


def undecided(head: SuperResolutionHead) -> SuperResolutionHead:
    """The head, made to say 0.5 everywhere."""
    nn.init.zeros_(head.colours.weight)
    assert head.colours.bias is not None
    nn.init.zeros_(head.colours.bias)
    return head


def pixels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """8-bit RGB as 3,H,W in [0, 1]."""
    return np.asarray(image, dtype=np.float64).transpose(2, 0, 1) / 255


def test_the_target_is_the_squashed_image_and_the_input_its_normalised_reduction() -> None:
    image = picture(0, width=90, height=70)
    large = image.resize((64, 64), Image.Resampling.BICUBIC)
    if not np.allclose(example(task(), image)["large"], pixels(large), atol=1e-6):
        large = large.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    small = pixels(large.resize((16, 16), Image.Resampling.BICUBIC))
    given = example(task(), image)
    np.testing.assert_allclose(given["large"], pixels(large), atol=1e-6)
    expected = (small - np.reshape(MEAN, (3, 1, 1))) / np.reshape(STD, (3, 1, 1))
    np.testing.assert_allclose(given["small"], expected, atol=1e-5)


def test_images_are_mirrored_half_the_time() -> None:
    image = picture(1)
    found = {example(task(), image, seed=seed)["large"].tobytes() for seed in range(10)}
    assert len(found) == 2


def test_channels_are_red_green_blue_and_never_the_other_way_round() -> None:
    given = example(task(), painted((255, 0, 51)))
    assert np.allclose(given["large"].transpose(1, 2, 0), (1, 0, 0.2))
    expected = (np.array((1, 0, 0.2)) - MEAN) / STD
    assert np.allclose(given["small"].transpose(1, 2, 0), expected, atol=1e-5)


def test_two_transposed_convolutions_keep_all_channels_and_double_the_side() -> None:
    head = task().head(backbone())
    doubling = [part for part in head.enlarge if isinstance(part, nn.ConvTranspose2d)]
    assert [tuple(part.weight.shape) for part in doubling] == [(32, 32, 3, 3)] * 2
    assert [part.stride for part in doubling] == [(2, 2)] * 2
    assert head.enlarge(torch.zeros(1, 32, 5, 7)).shape == (1, 32, 20, 28)
    assert float(head.enlarge(torch.randn(1, 32, 5, 7)).detach().min()) == 0  # ReLU at the end


def test_the_loss_is_the_mean_squared_error_of_the_pixels() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    head, target = task().head(network), given["large"].numpy()
    found = head(network, given["small"]).detach().numpy()
    assert found.shape == target.shape == (3, 3, 64, 64)
    expected = np.mean((found - target) ** 2)
    assert head.losses(network, given)["mse"].item() == pytest.approx(expected, rel=1e-5)
    loss = undecided(head).losses(network, given)["mse"].item()
    assert loss == pytest.approx(np.mean((0.5 - target) ** 2), rel=1e-5)


def test_the_loss_is_float32_under_autocast() -> None:
    network, given = backbone(), batch(task(), 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert task().head(network).losses(network, given)["mse"].dtype == torch.float32


def test_decibels_are_a_mean_over_images() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    figure = undecided(task().head(network)).figures(network, given)["psnr"]
    errors = np.mean((0.5 - given["large"].numpy()) ** 2, axis=(1, 2, 3))
    assert figure.total == pytest.approx(np.sum(10 * np.log10(1 / errors)), rel=1e-4)
    assert figure.of == 3


def test_the_rival_is_bicubic_enlargement_as_pillow_does_it() -> None:
    network, image = backbone().eval(), picture(0, spots=20)
    made = example(task(), image)
    figure = task().head(network).figures(network, stacked([made]))["psnr_bicubic"]
    large = np.round(made["large"].transpose(1, 2, 0) * 255).astype(np.uint8)
    small = Image.fromarray(large).resize((16, 16), Image.Resampling.BICUBIC)
    enlarged = pixels(small.resize((64, 64), Image.Resampling.BICUBIC))
    expected = -10 * np.log10(np.mean((enlarged - made["large"]) ** 2))
    assert figure.total == pytest.approx(expected, abs=0.05)
    assert figure.of == 1


def test_the_rival_that_is_flat_paints_the_mean_of_each_image() -> None:
    network = backbone().eval()
    half = Image.new("RGB", (64, 64))
    half.paste((255, 255, 255), (0, 0, 32, 64))
    given = stacked([example(task(), half), example(task(), painted((102, 102, 102)))])
    figure = task().head(network).figures(network, given)["psnr_flat"]
    # grey over black and white errs by 0.5 everywhere; over grey not at all, or 100 dB
    assert figure.of == 2
    assert figure.total == pytest.approx(-10 * np.log10(0.25) + 100, abs=0.05)


def test_a_perfect_image_has_a_hundred_decibels_and_not_infinitely_many() -> None:
    network = backbone().eval()
    given = stacked([example(task(), painted((102, 102, 102)))])
    figures = task().head(network).figures(network, given)
    assert figures["psnr_bicubic"].total == pytest.approx(100, abs=1e-3)


def test_a_panel_shows_input_bicubic_output_and_truth() -> None:
    network, given = backbone().eval(), stacked([example(task(), painted((204, 0, 51)))])
    panel = undecided(task().head(network)).panel(network, given)
    assert panel.shape == (3, 64 + 4, 4 * 64 + 10)
    columns = [panel[:, 30, 2 + 66 * column + 30] for column in range(4)]
    truth = torch.tensor([0.8, 0, 0.2])
    for column, expected in zip(columns, (truth, truth, torch.full((3,), 0.5), truth), strict=True):
        torch.testing.assert_close(column, expected, atol=1e-3, rtol=0)


def test_the_head_learns_to_enlarge_a_batch() -> None:
    network, given = backbone(), batch(task(), 3)
    head = task().head(network)
    losses = learn(head, network, given, steps=30)
    assert losses[-1] < 0.3 * losses[0]


def test_the_gradient_reaches_every_stage_from_a_batch_of_one() -> None:
    network, given = backbone(), batch(task(size=40), 1)
    task().head(network).losses(network, given)["mse"].backward()  # type: ignore[no-untyped-call]
    assert stages_with_gradient(network) == [0, 1, 2, 3]
