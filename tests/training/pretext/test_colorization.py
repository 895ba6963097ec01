"""Colorization: what the head is given, what it should say, and that it learns to."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.pretext.tiny import (
    backbone,
    batch,
    example,
    learn,
    painted,
    painted_corpus,
    picture,
    stages_with_gradient,
)
from training.config.pretraining import ColorizationConfig
from training.pretext.colorization import ColorizationHead, ColorizationTask
from training.pretext.corpus import EmptyCorpus
from training.pretext.task import stacked

MEAN_CHROMA = (0.6, 0.4)


def task(size: int = 32) -> ColorizationTask:
    config = ColorizationConfig(datasets=("tiny",), resize=40, size=size)
    return ColorizationTask(config, mean_chroma=MEAN_CHROMA)


def undecided(head: ColorizationHead) -> ColorizationHead:
    """The head, made to say 0.5 everywhere."""
    nn.init.zeros_(head.chroma.weight)
    assert head.chroma.bias is not None
    nn.init.zeros_(head.chroma.bias)
    return head


def test_an_example_is_scaled_lightness_and_chroma_of_a_crop() -> None:
    given = example(task(), picture(0))
    assert given["lightness"].shape == (1, 32, 32)
    assert given["chroma"].shape == (2, 32, 32)
    assert all(array.dtype == np.float32 for array in given.values())


@pytest.mark.parametrize(
    ("colour", "lab"),
    [
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),  # what the published code made of red
        ((128, 128, 128), (53.585, 0, 0)),
    ],
)
def test_targets_are_of_rgb_and_never_of_bgr(
    colour: tuple[int, int, int], lab: tuple[float, float, float]
) -> None:
    given = example(task(), painted(colour))
    np.testing.assert_allclose(given["lightness"], (lab[0] - 50) / 50, atol=1e-3)
    np.testing.assert_allclose(given["chroma"][0], (lab[1] + 127) / 255, atol=1e-3)
    np.testing.assert_allclose(given["chroma"][1], (lab[2] + 127) / 255, atol=1e-3)


def test_crop_and_flip_repeat_with_the_generator_and_differ_without() -> None:
    first, again, other = (example(task(), picture(0), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first["lightness"], again["lightness"])
    assert not np.array_equal(first["lightness"], other["lightness"])


def test_the_backbone_sees_the_lightness_three_times() -> None:
    seen = []
    network = backbone().eval()
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    given = batch(task(), 2)
    task().head(network).losses(network, given)
    assert seen[0].shape == (2, 3, 32, 32)
    for channel in range(3):
        assert torch.equal(seen[0][:, channel], given["lightness"][:, 0])


def test_the_loss_is_the_mean_squared_error_of_the_scaled_chroma() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    head = task().head(network)
    found = head(network, head.images(given)).detach().numpy()
    expected = np.mean((found - given["chroma"].numpy()) ** 2)
    assert head.losses(network, given)["mse"].item() == pytest.approx(expected, rel=1e-5)
    target = given["chroma"].numpy()
    undecided(head)
    loss = head.losses(network, given)["mse"].item()
    assert loss == pytest.approx(np.mean((0.5 - target) ** 2), rel=1e-5)


def test_the_loss_is_float32_under_autocast() -> None:
    network, given = backbone(), batch(task(), 2)
    head = task().head(network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert head.losses(network, given)["mse"].dtype == torch.float32


def test_figures_are_the_heads_error_and_those_of_grey_and_of_the_mean_colour() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    head = undecided(task().head(network))
    figures, target = head.figures(network, given), given["chroma"].numpy()
    assert set(figures) == {"mse", "mse_grey", "mse_mean"}
    assert all(figure.of == 3 for figure in figures.values())
    assert figures["mse"].total == pytest.approx(3 * np.mean((0.5 - target) ** 2), rel=1e-5)
    grey = 3 * np.mean((127 / 255 - target) ** 2)
    assert figures["mse_grey"].total == pytest.approx(grey, rel=1e-5)
    mean = np.array(MEAN_CHROMA).reshape(2, 1, 1)
    assert figures["mse_mean"].total == pytest.approx(3 * np.mean((mean - target) ** 2), rel=1e-5)


def test_the_mean_colour_is_that_of_the_training_images(tmp_path: Path) -> None:
    red, blue = (80.09, 67.20), (79.19, -107.86)  # a and b
    of_three = [(2 * r + b) / 3 for r, b in zip(red, blue, strict=True)]
    colours = [(255, 0, 0), (255, 0, 0), (0, 0, 255)]
    dataset = painted_corpus(tmp_path, train=colours, val=[(0, 255, 0)])
    config = ColorizationConfig(datasets=("tiny",), resize=40, size=32)
    found = ColorizationTask.of(config, [dataset]).facts["mean_chroma"]
    assert found == pytest.approx([(x + 127) / 255 for x in of_three], abs=1e-3)


def test_no_constant_colour_is_better_than_the_mean_on_its_own_images(tmp_path: Path) -> None:
    colours = [(200, 30, 90), (20, 160, 60), (90, 90, 200)]
    made = ColorizationTask.of(
        ColorizationConfig(datasets=("tiny",), resize=40, size=32),
        [painted_corpus(tmp_path, train=colours)],
    )
    network, given = backbone().eval(), stacked([example(made, painted(c)) for c in colours])
    figures = made.head(network).figures(network, given)
    least = float(given["chroma"].var(dim=(0, 2, 3), unbiased=False).mean())
    assert figures["mse_mean"].total / 3 == pytest.approx(least, rel=1e-4)
    assert figures["mse_mean"].total < figures["mse_grey"].total


def test_an_image_that_cannot_be_read_is_not_in_the_mean(tmp_path: Path) -> None:
    dataset = painted_corpus(tmp_path, train=[(0, 0, 255), (255, 0, 0)])
    config = ColorizationConfig(datasets=("tiny",), resize=40, size=32)
    (tmp_path / dataset.samples[0].file_name).write_bytes(b"no image")
    assert ColorizationTask.of(config, [dataset]).facts["mean_chroma"] == pytest.approx(
        [(80.09 + 127) / 255, (67.20 + 127) / 255], abs=1e-3
    )
    (tmp_path / dataset.samples[1].file_name).unlink()
    with pytest.raises(EmptyCorpus, match="no image in its train split that can be read"):
        ColorizationTask.of(config, [dataset])


def test_figures_of_parts_add_up_to_those_of_the_whole() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    head = task().head(network)
    whole = head.figures(network, given)
    parts = [
        head.figures(network, {key: value[n : n + 1] for key, value in given.items()})
        for n in range(3)
    ]
    for key, figure in whole.items():
        assert sum(part[key].total for part in parts) == pytest.approx(figure.total, rel=1e-4)
        assert sum(part[key].of for part in parts) == figure.of


def test_a_grey_picture_is_no_trouble_for_the_grey_rival() -> None:
    network = backbone().eval()
    given = stacked([example(task(), painted((90, 90, 90)))])
    assert task().head(network).figures(network, given)["mse_grey"].total < 1e-8


def test_a_panel_shows_grey_then_the_heads_colours_then_the_true_ones() -> None:
    network = backbone().eval()
    head = undecided(task().head(network))
    panel = head.panel(network, stacked([example(task(), painted((200, 30, 90)))]))
    assert panel.shape == (3, 32 + 4, 3 * 32 + 8)
    given, said, truth = (panel[:, 10, 2 + 34 * column + 10] for column in range(3))
    assert float(given.max() - given.min()) < 0.01
    assert float((said - given).abs().max()) < 0.02  # 0.5 is almost grey
    torch.testing.assert_close(truth, torch.tensor([200, 30, 90]) / 255, atol=0.01, rtol=0)


def test_a_panel_shows_no_more_than_a_few_images() -> None:
    network = backbone().eval()
    assert task().head(network).panel(network, batch(task(), 6)).shape[1] == 4 * 34 + 2


def test_the_head_learns_the_colours_of_a_batch_and_beats_grey() -> None:
    network, given = backbone(), batch(task(), 3)
    head = task().head(network)
    losses = learn(head, network, given, steps=25)
    grey = head.figures(network, given)["mse_grey"]
    assert losses[-1] < 0.25 * losses[0]
    assert losses[-1] < 0.5 * grey.total / grey.of


def test_the_gradient_reaches_every_stage_from_a_batch_of_one() -> None:
    network, given = backbone(), batch(task(size=40), 1)
    task().head(network).losses(network, given)["mse"].backward()  # type: ignore[no-untyped-call]
    assert stages_with_gradient(network) == [0, 1, 2, 3]
