"""Jigsaw puzzles: where tiles land, how they are put back, and what the head makes of them."""

import json
from functools import cache

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
    stages_with_gradient,
)
from training.config.pretraining import JigsawConfig
from training.pretext.jigsaw import JigsawHead, JigsawTask, cut_tiles
from training.pretext.task import stacked

SIDE = 8


@cache
def task() -> JigsawTask:
    config = JigsawConfig(datasets=("tiny",), tile=16, permutations=10)
    return JigsawTask(config, mean=MEAN, std=STD)


def numbered() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """An image 3,24,24 in which no two pixels are alike."""
    return np.arange(3 * 24 * 24, dtype=np.float32).reshape(3, 24, 24)


def moved(head: JigsawHead) -> JigsawHead:
    """The head, with weights as training leaves them."""
    nn.init.normal_(head.linear.weight)
    return head


def sure_of(head: JigsawHead, number: int) -> JigsawHead:
    """The head, made to say `number` of everything."""
    nn.init.zeros_(head.linear.weight)
    nn.init.zeros_(head.linear.bias)
    head.linear.bias.data[number] = 5
    return head


def test_tiles_are_numbered_row_by_row() -> None:
    tiles = cut_tiles(numbered(), SIDE)
    assert tiles.shape == (9, 3, SIDE, SIDE)
    for number, (row, column) in enumerate((r, c) for r in range(3) for c in range(3)):
        expected = numbered()[:, row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
        assert np.array_equal(tiles[number], expected)


def test_tiles_hold_every_pixel_once_and_none_from_outside() -> None:
    assert sorted(cut_tiles(numbered(), SIDE).ravel()) == sorted(numbered().ravel())


def test_tiles_put_back_are_the_image_for_every_known_order() -> None:
    made = task()
    head = made.head(backbone())
    tiles = torch.from_numpy(cut_tiles(numbered(), SIDE))
    for number, digits in enumerate(made.facts["orders"]):
        shuffled = torch.stack([tiles[int(digit)] for digit in digits])
        assert torch.equal(head.solved(shuffled[None], torch.tensor([number]))[0], tiles)


@pytest.mark.parametrize("seed", range(4))
def test_an_example_put_back_by_its_order_is_a_whole_picture(seed: int) -> None:
    ramp = np.linspace(0, 255, 100).astype(np.uint8)
    down, across = np.meshgrid(ramp, ramp, indexing="ij")
    made = task()
    given = example(made, Image.fromarray(np.stack([down, across, across], axis=2)), seed=seed)
    digits = made.facts["orders"][int(given["order"])]
    whole = np.empty((3, 48, 48))
    for place, digit in enumerate(digits):
        row, column = divmod(int(digit), 3)
        tile = given["tiles"][place]
        whole[:, row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] = tile
    assert (np.diff(whole[0], axis=0) > 0).all()
    steps = np.diff(whole[1], axis=1)
    assert (steps > 0).all() or (steps < 0).all()  # mirrored or not, never mixed


def test_tiles_are_normalised_red_first() -> None:
    given = example(task(), Image.new("RGB", (50, 60), (255, 0, 51)))
    expected = (np.array((1, 0, 0.2)) - MEAN) / STD
    assert given["tiles"].shape == (9, 3, 16, 16)
    assert np.allclose(given["tiles"].transpose(0, 2, 3, 1), expected, atol=1e-5)


def test_orders_are_drawn_from_all_known_ones_with_the_generator() -> None:
    image = Image.new("RGB", (50, 50))
    drawn = [int(example(task(), image, seed=seed)["order"]) for seed in range(100)]
    assert set(drawn) == set(range(10))
    assert drawn[:5] == [int(example(task(), image, seed=seed)["order"]) for seed in range(5)]


def test_facts_are_json_and_keep_the_orders() -> None:
    facts = json.loads(json.dumps(task().facts))
    assert len(facts["orders"]) == 10
    assert all(sorted(order) == list("012345678") for order in facts["orders"])
    assert facts["chance"] == pytest.approx(0.1)
    assert facts["least_distance"] == 8
    assert facts["mean"] == list(MEAN)


def test_logits_are_linear_in_the_nine_pooled_tiles_side_by_side() -> None:
    network, given = backbone().eval(), batch(task(), 2)
    head = moved(task().head(network))
    found = head(network, given["tiles"]).detach().numpy()
    weight, bias = head.linear.weight.detach().numpy(), head.linear.bias.detach().numpy()
    for puzzle in range(2):
        pooled = [
            network(given["tiles"][puzzle, place][None])[-1].detach().numpy()[0].mean(axis=(1, 2))
            for place in range(9)
        ]
        expected = weight @ np.concatenate(pooled) + bias
        np.testing.assert_allclose(found[puzzle], expected, rtol=1e-4, atol=1e-4)


def test_the_loss_is_the_cross_entropy_of_the_orders_number() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    head = moved(task().head(network))
    logits = head(network, given["tiles"]).detach().double().numpy()
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(shares[np.arange(3), given["order"].numpy()]))
    loss = head.losses(network, given)["cross_entropy"]
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_begins_with_that_of_a_guess() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    loss = task().head(network).losses(network, given)["cross_entropy"]
    assert loss.item() == pytest.approx(np.log(10))


def test_the_loss_is_float32_under_autocast() -> None:
    network, given = backbone(), batch(task(), 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = task().head(network).losses(network, given)["cross_entropy"]
    assert loss.dtype == torch.float32


def test_accuracy_counts_the_orders_that_were_told() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    given["order"] = torch.tensor([4, 7, 4])
    figures = sure_of(task().head(network), 4).figures(network, given)
    assert figures["accuracy"] == (2.0, 3)


def test_the_rival_guesses_one_of_ten_orders() -> None:
    network, given = backbone().eval(), batch(task(), 3)
    figures = task().head(network).figures(network, given)
    assert figures.keys() == {"accuracy", "accuracy_chance"}
    assert figures["accuracy_chance"] == pytest.approx((0.3, 3))


def test_a_panel_shows_shuffled_solved_and_true() -> None:
    network, given = backbone().eval(), batch(task(), 1)
    right = int(given["order"])
    third = 3 * 17 + 1 + 4  # a picture of tiles with lines, and the gap
    for number in (right, (right + 1) % 10):
        panel = sure_of(task().head(network), number).panel(network, given)
        assert panel.shape == (3, third + 4, 3 * third + 4)
        shuffled, solved, truth = (panel[:, :, 4 + third * n :][..., :52] for n in range(3))
        assert torch.equal(solved, truth) is (number == right)
        assert not torch.equal(shuffled, truth)


def test_the_head_learns_the_orders_of_a_batch() -> None:
    network, given = backbone(), batch(task(), 4)
    head = task().head(network)
    losses = learn(head, network, given, steps=12)
    assert losses[-1] < 0.2 * losses[0]


def test_the_gradient_reaches_every_stage_from_a_batch_of_one() -> None:
    network, given = (
        backbone(),
        stacked([example(task(), Image.effect_noise((60, 60), 90).convert("RGB"))]),
    )
    loss = moved(task().head(network)).losses(network, given)["cross_entropy"]
    loss.backward()  # type: ignore[no-untyped-call]
    assert stages_with_gradient(network) == [0, 1, 2, 3]
