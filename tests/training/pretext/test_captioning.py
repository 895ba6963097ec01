"""Captioning: its loss by hand, its rival, and that two pictures are told apart in words."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from models.preprocessing import Preprocessing, normalized
from tests.training.pretext.tiny import MEAN, STD, corpus, painted, picture
from training.backbone import BACKBONES, Backbone, BackboneSpec
from training.config.backbone import BackboneName
from training.config.pretraining import CaptioningConfig
from training.data.canonical import Sample, Split
from training.pretext.caption_search import greedy_captions
from training.pretext.captioning import CaptionHead, CaptioningTask
from training.pretext.task import Examples, PretextTask, overall, stacked
from training.pretext.vocabulary import END, SPECIAL, NoWords, Vocabulary

CAPTIONS = ("a red wall", "the deep blue sea at night")
SMALL = {"size": 32, "embedding": 8, "hidden": 32, "attention": 16, "dropout": 0.0}


def sample(*captions: str, split: Split = Split.TRAIN) -> Sample:
    return Sample(
        file_name="a.png", split=split, single=None, multi=None, shares=None, captions=captions
    )


def task(samples: Sequence[Sample] | None = None, **changes: object) -> CaptioningTask:
    """The task on a sample for each of the captions."""
    settings = {"datasets": ["tiny"], "min_count": 1, "max_words": 7, **SMALL, **changes}
    given = [sample(caption) for caption in CAPTIONS] if samples is None else samples
    config = CaptioningConfig.model_validate(settings)
    return CaptioningTask.of(config, [corpus(("none",), given)], mean=MEAN, std=STD)


def batch(made: CaptioningTask, captions: Sequence[str] = CAPTIONS) -> Examples:
    """One of two pictures for each caption; an empty caption is none."""
    rng = np.random.default_rng(0)
    given = [sample(caption) if caption else sample() for caption in captions]
    return stacked([made.example(picture(n % 2), one, rng) for n, one in enumerate(given)])


def backbone(*last: nn.Module, channels: int) -> Backbone:
    """Three stages that do nothing and one that ends in `channels`."""
    spec = BackboneSpec(nn.Identity, lambda _: (), (3, 3, 3, channels), (1, 1, 1, 1), 4)
    return Backbone((nn.Identity(), nn.Identity(), nn.Identity(), nn.Sequential(*last)), spec)


def convolution() -> Backbone:
    """One layer that makes 4x4 cells of 32x32 pixels."""
    torch.manual_seed(0)
    return backbone(nn.Conv2d(3, 8, 8, stride=8), nn.ReLU(), channels=8)


def quadrants() -> Backbone:
    """No weights: the cells are the mean colours of four quadrants."""
    return backbone(nn.AdaptiveAvgPool2d(2), channels=3)


def head(made: CaptioningTask, network: Backbone) -> CaptionHead:
    torch.manual_seed(1)
    return made.head(network)


def say_frequencies(made: CaptionHead) -> None:
    nn.init.zeros_(made.decoder.output.weight)


def look_evenly(made: CaptionHead) -> None:
    nn.init.zeros_(made.decoder.score.weight)


def test_the_task_satisfies_the_protocol() -> None:
    made: PretextTask = task()
    assert made.head(quadrants()).losses(quadrants(), batch(task())).keys() == {
        "words",
        "attention",
    }


def test_an_image_is_squashed_with_lanczos_and_normalised() -> None:
    image = Image.effect_noise((50, 20), 80).convert("RGB")
    pixels = task().example(image, sample("a"), np.random.default_rng(0))["image"]
    squashed = image.resize((32, 32), Image.Resampling.LANCZOS)
    expected = normalized(squashed, Preprocessing(size=32, mean=MEAN, std=STD))
    np.testing.assert_array_equal(pixels, expected)


def test_words_end_and_are_padded_to_one_length() -> None:
    words = batch(task())["words"]
    assert words.shape == (2, 8)
    assert words.dtype is torch.int64
    assert (words != 0).sum(dim=1).tolist() == [4, 7]
    assert [int(words[0, 3]), int(words[1, 6])] == [END, END]


def test_chance_draws_one_of_several_captions() -> None:
    made, one = task(), sample(*CAPTIONS, "a wall")
    seen = {
        made.vocabulary.decode(
            made.example(picture(0), one, np.random.default_rng(seed))["words"].tolist()
        )
        for seed in range(20)
    }
    assert seen == set(one.captions)


def test_the_vocabulary_is_that_of_the_training_part() -> None:
    made = task([sample("sea sea"), sample("night", split=Split.VAL), sample()])
    assert made.vocabulary.entries == (*SPECIAL, "sea")


def test_a_corpus_without_training_captions_is_refused() -> None:
    with pytest.raises(NoWords):
        task([sample(), sample("night", split=Split.VAL)])


def test_the_facts_bring_the_vocabulary_back_from_json() -> None:
    made = task()
    facts = json.loads(json.dumps(made.facts))
    assert Vocabulary.model_validate(facts["vocabulary"]) == made.vocabulary


def test_the_word_loss_is_the_mean_over_words_without_padding() -> None:
    made = task([sample("a a b"), sample("a")])
    judge = head(made, quadrants())
    say_frequencies(judge)
    # said: a 3 times, b once, 2 ends; padding, start and unknown count as said once: 9
    a, b, end, unknown = (math.log(count / 9) for count in (3, 1, 2, 1))
    given = batch(made, ["a b", "a a x b"])
    loss = judge.losses(quadrants(), given)["words"].item()
    assert loss == pytest.approx(-(a + b + end + 2 * a + unknown + b + end) / 8, rel=1e-5)
    figures = judge.figures(quadrants(), given)
    assert figures["nll_per_word"] == pytest.approx((8 * loss, 8))
    assert figures["nll_per_word_unigram"] == pytest.approx((8 * loss, 8))
    assert figures["word_accuracy"] == figures["word_accuracy_unigram"] == (3, 8)
    told = overall({name: [figure] for name, figure in figures.items()})
    # 9^8 over the product of the counts above: b, end and a word that is unknown once, end twice
    by_hand = (9**8 / (3 * 1 * 2 * 3 * 3 * 1 * 1 * 2)) ** (1 / 8)
    assert told["perplexity"] == pytest.approx(by_hand, rel=1e-5)
    assert told["perplexity_unigram"] == pytest.approx(by_hand, rel=1e-5)


def test_even_attention_costs_nothing_whatever_the_lengths() -> None:
    made = task()
    judge = head(made, quadrants())
    look_evenly(judge)
    assert judge.losses(quadrants(), batch(made))["attention"].item() == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("weight", [1.0, 0.5, 0.0])
def test_the_penalty_of_staring_at_one_cell_is_worked_out_by_hand(weight: float) -> None:
    made = task(attention_penalty=weight)
    judge = head(made, quadrants())
    with torch.no_grad():  # attention is all on the one cell whose red is above the mean
        for layer in (judge.decoder.cell_key, judge.decoder.hidden_key, judge.decoder.score):
            for parameter in layer.parameters():
                parameter.zero_()
        judge.decoder.cell_key.weight[0, 0] = 50
        judge.decoder.score.weight[0, 0] = 1000
    given = batch(made)
    given["image"] = torch.zeros(2, 3, 4, 4)
    given["image"][:, 0, :2, 2:] = 1
    # T words, 4 cells: (T/4 - T)^2 once and (T/4)^2 three times, that is 3 T^2 / 16 on average
    expected = weight * (3 * 4**2 / 16 + 3 * 7**2 / 16) / 2
    assert judge.losses(quadrants(), given)["attention"].item() == pytest.approx(expected, rel=1e-5)


def test_padding_changes_nothing() -> None:
    short, long = task(max_words=6), task(max_words=20)
    network = convolution()
    for one, other in zip(
        head(short, network).losses(network, batch(short)).values(),
        head(long, network).losses(network, batch(long)).values(),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_captions_of_a_batch_weigh_by_their_words_and_penalties_alike() -> None:
    made, network = task(), convolution()
    judge = head(made, network)
    both = batch(made)
    alone = [{key: value[n : n + 1] for key, value in both.items()} for n in range(2)]
    first, second = (judge.losses(network, one) for one in alone)
    together = judge.losses(network, both)
    torch.testing.assert_close(together["words"], (4 * first["words"] + 7 * second["words"]) / 11)
    torch.testing.assert_close(
        together["attention"], (first["attention"] + second["attention"]) / 2
    )


def test_a_sample_without_a_caption_adds_nothing() -> None:
    made, network = task(), convolution()
    judge = head(made, network)
    with_it, without = batch(made, ["a wall", ""]), batch(made, ["a wall"])
    for name, loss in judge.losses(network, without).items():
        torch.testing.assert_close(judge.losses(network, with_it)[name], loss)
    for name, figure in judge.figures(network, without).items():
        assert judge.figures(network, with_it)[name] == pytest.approx(figure)
    nothing = batch(made, [""])
    losses = judge.losses(network, nothing)
    assert [loss.item() for loss in losses.values()] == [0, 0]
    torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert {figure.of for figure in judge.figures(network, nothing).values()} == {0}


def test_brain_floats_give_about_the_same_losses() -> None:
    made, network = task(), convolution()
    judge, given = head(made, network), batch(made)
    exact = judge.losses(network, given)
    with torch.autocast("cpu", torch.bfloat16):
        rough = judge.losses(network, given)
    for name, loss in exact.items():
        assert rough[name].dtype is torch.float32
        torch.testing.assert_close(rough[name], loss, rtol=0.02, atol=1e-3)


def test_an_untrained_head_is_about_as_good_as_its_rival() -> None:
    made = task(hidden=512, attention=512, embedding=128, dropout=0.1)
    figures = head(made, convolution()).figures(convolution(), batch(made))
    own, rival = figures["nll_per_word"], figures["nll_per_word_unigram"]
    assert own.of == rival.of == 11
    assert own.total / own.of == pytest.approx(rival.total / rival.of, abs=0.1)
    assert own.total != rival.total


def test_the_output_bias_starts_at_the_log_frequencies_and_is_trained() -> None:
    made, network = task(), convolution()
    judge = head(made, network)
    bias, start = judge.decoder.output.bias, torch.from_numpy(made.vocabulary.log_frequencies())
    assert torch.equal(bias, start)
    optimizer = torch.optim.SGD(judge.parameters(), lr=0.1)
    assert any(parameter is bias for parameter in optimizer.param_groups[0]["params"])
    judge.losses(network, batch(made))["words"].backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    assert not torch.equal(bias, start)
    torch.testing.assert_close(judge.log_frequencies, start, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["words", "attention"])
def test_both_terms_reach_the_backbone(name: str) -> None:
    made, network = task(), convolution()
    head(made, network).losses(network, batch(made))[name].backward()  # type: ignore[no-untyped-call]
    gradient = next(network.parameters()).grad
    assert gradient is not None
    assert float(gradient.abs().max()) > 0


def fitted(made: CaptioningTask, network: Backbone, given: Examples) -> CaptionHead:
    """A head that learned the batch by heart."""
    judge = head(made, network)
    optimizer = torch.optim.Adam([*network.parameters(), *judge.parameters()], lr=0.02)
    for _ in range(60):
        loss = torch.stack(list(judge.losses(network, given).values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return judge.eval()


def test_two_pictures_are_learned_and_told_apart_in_words() -> None:
    made, network = task(), convolution()
    given = batch(made)
    before = head(made, network).losses(network, given)["words"].item()
    judge = fitted(made, network, given)
    assert judge.losses(network, given)["words"].item() < 0.1 * before
    figures = judge.figures(network, given)
    assert figures["word_accuracy"] == (11, 11)
    assert figures["nll_per_word_unigram"].total > 5 * figures["nll_per_word"].total
    said = greedy_captions(judge.decoder, network(given["image"])[-1], max_words=7)
    assert tuple(made.vocabulary.decode(one.words) for one in said) == CAPTIONS


def every_weight_drawn(name: BackboneName) -> Backbone:
    """Built on no memory at all: a classifier that is not needed can have 500 MB."""
    with torch.device("meta"):
        network = BACKBONES[name].build()
    made = Backbone(BACKBONES[name].cut(network), BACKBONES[name]).to_empty(device="cpu")
    torch.manual_seed(0)
    for module in made.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            module.reset_parameters()
    return made


@pytest.mark.parametrize("name", list(BackboneName))
def test_every_backbone_learns_from_captions(name: BackboneName) -> None:
    made, network = task(size=64), every_weight_drawn(name)
    given = batch(made)
    judge = made.head(network)
    torch.stack(list(judge.losses(network, given).values())).sum().backward()  # type: ignore[no-untyped-call]
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert judge.figures(network, given)["nll_per_word"].of == 11


def test_a_panel_shows_the_images_and_their_captions() -> None:
    made, network = task(), convolution()
    blue = made.example(painted((20, 30, 220)), sample(*CAPTIONS), np.random.default_rng(0))
    judge = head(made, network)
    panel = judge.panel(network, stacked([blue] * 5))
    assert panel.shape == (3, 468, 4 * 258 + 2)
    assert panel.dtype is torch.float32
    assert 0 <= float(panel.min()) <= float(panel.max()) <= 1
    for left in range(2, 4 * 258, 258):
        colour = torch.tensor([20, 30, 220]) / 255
        torch.testing.assert_close(panel[:, 130, left + 128], colour, rtol=0, atol=0.01)
        text = panel[:, 258:, left : left + 256]
        assert float(text.min()) < 0.1
        assert float(text[:, -20:].min()) == 1
    assert judge.panel(network, stacked([blue])).shape == (3, 464, 256)
