"""Captions out of a decoder: the words it holds most probable, one by one.

Padding, the start and the unknown word are never said. A caption ends where the decoder says so,
or at `max_words`. Nothing is left to chance: of equals, the lower index wins.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from training.pretext.caption_decoder import CaptionDecoder, State
from training.pretext.vocabulary import END, PADDING, START, UNKNOWN

_UNSAYABLE = [PADDING, START, UNKNOWN]


class Caption(NamedTuple):
    """The words said without the end, and where the decoder looked before each of them."""

    words: tuple[int, ...]
    log_probability: float
    attention: Tensor  # words,h,w; every map sums to 1


@torch.no_grad()
def greedy_captions(
    decoder: CaptionDecoder, features: Tensor, *, max_words: int
) -> tuple[Caption, ...]:
    """A caption for each of the feature maps B,C,h,w: at every step the most probable word."""
    cells, state = decoder.begin(features)
    last = _starts(features)
    said: list[Tensor] = []
    chances, maps = [], []
    ended = torch.zeros_like(last, dtype=torch.bool)
    while len(said) < max_words and not ended.all():
        state, attention = decoder.step(last, cells, state)
        chance, last = _chances(decoder, state).max(dim=1)
        said.append(last)
        chances.append(chance.masked_fill(ended, 0))
        maps.append(attention.reshape(-1, *features.shape[2:]))
        ended = ended | (last == END)
    totals = torch.stack(chances, dim=1).sum(dim=1).tolist()
    spoken, looks = torch.stack(said, dim=1).tolist(), torch.stack(maps, dim=1)  # B,T and B,T,h,w
    lengths = [words.index(END) if END in words else len(words) for words in spoken]
    return tuple(
        Caption(tuple(words[:length]), total, look[:length])
        for words, length, total, look in zip(spoken, lengths, totals, looks, strict=True)
    )


def _starts(features: Tensor) -> Tensor:
    return torch.full((len(features),), START, device=features.device)


def _chances(decoder: CaptionDecoder, state: State) -> Tensor:
    """Log-probabilities B,V of what is said next; of what is never said, minus infinity."""
    chances = decoder.logits(state.hidden).log_softmax(dim=1)
    chances[:, _UNSAYABLE] = -torch.inf
    return chances
