"""Searching captions: greedy and beam search against all captions there are."""

from collections.abc import Sequence
from itertools import product

import pytest
import torch
from torch import Tensor

from tests.training.pretext.opinionated import COLUMNS, ROWS, decoder, features
from training.pretext.caption_decoder import CaptionDecoder
from training.pretext.caption_search import Caption, beam_captions, greedy_captions
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


def best_of_all(made: CaptionDecoder, image: Tensor) -> tuple[tuple[int, ...], float]:
    """The most probable of the captions that end, and of those that are as long as they may be."""
    ended = [(*said, END) for n in range(MAX_WORDS) for said in product(WORDS, repeat=n)]
    every = [*ended, *product(WORDS, repeat=MAX_WORDS)]
    return max(
        ((spoken, log_probability(made, image, spoken)) for spoken in every), key=lambda one: one[1]
    )


def beam(made: CaptionDecoder, images: Tensor, width: int) -> tuple[Caption, ...]:
    return beam_captions(made, images, width=width, max_words=MAX_WORDS)


def greedy(made: CaptionDecoder, images: Tensor) -> tuple[Caption, ...]:
    return greedy_captions(made, images, max_words=MAX_WORDS)


def assert_same(captions: Sequence[Caption], others: Sequence[Caption]) -> None:
    """But for the rounding of batches of another size."""
    for one, other in zip(captions, others, strict=True):
        assert one.words == other.words
        assert one.log_probability == pytest.approx(other.log_probability, abs=1e-4)
        torch.testing.assert_close(one.attention, other.attention)


@pytest.mark.parametrize("seed", range(6))
def test_a_full_beam_finds_the_best_of_all_captions(seed: int) -> None:
    made, image = decoder(seed), features(1, seed)
    spoken, chance = best_of_all(made, image)
    found = beam(made, image, width=len(WORDS) ** MAX_WORDS)[0]
    assert found.words == tuple(word for word in spoken if word != END)
    assert found.log_probability == pytest.approx(chance, abs=1e-4)


def narrow_beam(made: CaptionDecoder, image: Tensor, width: int) -> tuple[int, ...]:
    """A beam search that tells the decoder every prefix anew; one that ended is not followed."""
    live: list[tuple[int, ...]] = [()]
    ended = []
    for _ in range(MAX_WORDS):
        grown = {(*said, word) for said in live for word in (END, *WORDS)}
        chances = {spoken: log_probability(made, image, spoken) for spoken in grown}
        kept = sorted(grown, key=lambda spoken: -chances[spoken])[:width]
        ended += [spoken for spoken in kept if spoken[-1] == END]
        live = [spoken for spoken in kept if spoken[-1] != END]
    best = max([*ended, *live], key=lambda spoken: log_probability(made, image, spoken))
    return tuple(word for word in best if word != END)


def test_a_narrow_beam_finds_what_a_plain_search_finds() -> None:
    for seed in SEEDS:
        made, image = decoder(seed), features(1, seed)
        assert beam(made, image, width=2)[0].words == narrow_beam(made, image, 2)


@pytest.mark.parametrize("width", [2, 3, 5])
def test_a_wider_beam_is_not_worse_than_greedy(width: int) -> None:
    """No law (a beam may lose the greedy prefix), but it holds for these decoders."""
    gains = [
        wide.log_probability - narrow.log_probability
        for seed in SEEDS
        for wide, narrow in zip(
            beam(decoder(seed), features(3, seed), width=width),
            greedy(decoder(seed), features(3, seed)),
            strict=True,
        )
    ]
    assert min(gains) > -1e-4
    assert max(gains) > 0.1


def test_a_beam_of_one_is_greedy() -> None:
    for seed in SEEDS:
        made, images = decoder(seed), features(3, seed)
        assert_same(beam(made, images, width=1), greedy(made, images))


def test_a_caption_does_not_depend_on_its_batch() -> None:
    for seed in SEEDS:
        made, images = decoder(seed), features(3, seed)
        alone = [greedy(made, images[at : at + 1])[0] for at in range(3)]
        assert_same(greedy(made, images), alone)


def test_a_search_repeated_finds_the_same() -> None:
    made, images = decoder(), features(3)
    assert_same(beam(made, images, width=3), beam(made, images, width=3))
    assert_same(greedy(made, images), greedy(made, images))


def test_captions_differ_and_some_end_before_the_limit() -> None:
    captions = [one for seed in SEEDS for one in greedy(decoder(seed), features(3, seed))]
    assert {len(one.words) for one in captions} >= {0, 1, MAX_WORDS}
    assert len({one.words for one in captions}) > 10


def test_the_log_probability_is_that_of_the_words_and_their_end() -> None:
    for seed in SEEDS:
        made, image = decoder(seed), features(1, seed)
        for found in (*greedy(made, image), *beam(made, image, width=3)):
            end = () if len(found.words) == MAX_WORDS else (END,)
            chance = log_probability(made, image, (*found.words, *end))
            assert found.log_probability == pytest.approx(chance, abs=1e-4)


def test_every_word_comes_with_the_attention_it_took() -> None:
    for seed in SEEDS:
        made, image = decoder(seed), features(1, seed)
        for found in (*greedy(made, image), *beam(made, image, width=3)):
            told = torch.tensor([[START, *found.words]])
            attention = made(image, told)[1][0, : len(found.words)].detach()
            expected = attention.reshape(-1, ROWS, COLUMNS)
            torch.testing.assert_close(found.attention, expected)


def test_what_is_no_word_is_never_said() -> None:
    made = decoder()
    with torch.no_grad():
        made.output.bias[[PADDING, START, UNKNOWN]] = 90
    for found in (*greedy(made, features(9)), *beam(made, features(9), width=9)):
        assert set(found.words) <= set(WORDS)


def test_of_equals_the_lower_index_wins() -> None:
    made = decoder()
    with torch.no_grad():
        made.output.weight.zero_()
        made.output.bias.copy_(torch.tensor([0.0, 0.0, -9.0, 0.0, 1.0, 2.0, 2.0]))
    for found in (greedy(made, features(1))[0], beam(made, features(1), width=3)[0]):
        assert found.words == (5,) * MAX_WORDS
