"""Searching captions, against a plain search."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from tests.training.pretext.opinionated import COLUMNS, ROWS, decoder, features
from training.pretext.caption_decoder import CaptionDecoder
from training.pretext.caption_search import Caption, greedy_captions
from training.pretext.vocabulary import END, PADDING, START, UNKNOWN

WORDS = (4, 5, 6)
MAX_WORDS = 4
SEEDS = range(24)


@torch.no_grad()
def log_probability(made: CaptionDecoder, image: Tensor, spoken: tuple[int, ...]) -> float:
    """Of words, and maybe an end, told one by one to the decoder."""
    hidden, _ = made(image, torch.tensor([[START, *spoken[:-1]]]))
    chances = made.logits(hidden[0]).log_softmax(dim=1)
    return float(sum(chances[time, word] for time, word in enumerate(spoken)))


def greedy(made: CaptionDecoder, images: Tensor) -> tuple[Caption, ...]:
    return greedy_captions(made, images, max_words=MAX_WORDS)


def assert_same(captions: Sequence[Caption], others: Sequence[Caption]) -> None:
    """But for the rounding of batches of another size."""
    for one, other in zip(captions, others, strict=True):
        assert one.words == other.words
        assert one.log_probability == pytest.approx(other.log_probability, abs=1e-4)
        torch.testing.assert_close(one.attention, other.attention)


def plain(made: CaptionDecoder, image: Tensor) -> tuple[int, ...]:
    """A search that tells the decoder all that was said anew before each word."""
    said: tuple[int, ...] = ()
    while len(said) < MAX_WORDS and END not in said:
        longer = [(*said, word) for word in (END, *WORDS)]
        said = max(longer, key=lambda spoken: log_probability(made, image, spoken))
    return tuple(word for word in said if word != END)


def test_a_search_finds_what_a_plain_one_finds() -> None:
    for seed in SEEDS:
        made, image = decoder(seed), features(1, seed)
        assert greedy(made, image)[0].words == plain(made, image)


def test_a_caption_does_not_depend_on_its_batch() -> None:
    for seed in SEEDS:
        made, images = decoder(seed), features(3, seed)
        alone = [greedy(made, images[at : at + 1])[0] for at in range(3)]
        assert_same(greedy(made, images), alone)


def test_a_search_repeated_finds_the_same() -> None:
    made, images = decoder(), features(3)
    assert_same(greedy(made, images), greedy(made, images))


def test_captions_differ_and_some_end_before_the_limit() -> None:
    captions = [one for seed in SEEDS for one in greedy(decoder(seed), features(3, seed))]
    assert {len(one.words) for one in captions} >= {0, 1, MAX_WORDS}
    assert len({one.words for one in captions}) > 10


def test_the_log_probability_is_that_of_the_words_and_their_end() -> None:
    for seed in SEEDS:
        made, image = decoder(seed), features(1, seed)
        for found in greedy(made, image):
            end = () if len(found.words) == MAX_WORDS else (END,)
            chance = log_probability(made, image, (*found.words, *end))
            assert found.log_probability == pytest.approx(chance, abs=1e-4)


def test_every_word_comes_with_the_attention_it_took() -> None:
    for seed in SEEDS:
        made, image = decoder(seed), features(1, seed)
        for found in greedy(made, image):
            told = torch.tensor([[START, *found.words]])
            attention = made(image, told)[1][0, : len(found.words)].detach()
            expected = attention.reshape(-1, ROWS, COLUMNS)
            torch.testing.assert_close(found.attention, expected)


def test_what_is_no_word_is_never_said() -> None:
    made = decoder()
    with torch.no_grad():
        made.output.bias[[PADDING, START, UNKNOWN]] = 90
    for found in greedy(made, features(9)):
        assert set(found.words) <= set(WORDS)


def test_of_equals_the_lower_index_wins() -> None:
    made = decoder()
    with torch.no_grad():
        made.output.weight.zero_()
        made.output.bias.copy_(torch.tensor([0.0, 0.0, -9.0, 0.0, 1.0, 2.0, 2.0]))
    assert greedy(made, features(1))[0].words == (5,) * MAX_WORDS
