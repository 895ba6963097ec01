"""Captions out of a decoder: the words it holds most probable, one by one or in a beam.

Padding, the start and the unknown word are never said. A caption ends where the decoder says so,
or at `max_words`. Nothing is left to chance: of equals, the lower index wins.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from training.pretext.caption_decoder import CaptionDecoder, Cells, State
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


@torch.no_grad()
def beam_captions(
    decoder: CaptionDecoder, features: Tensor, *, width: int, max_words: int
) -> tuple[Caption, ...]:
    """A caption for each of the feature maps B,C,h,w: the most probable that `width` prefixes find.

    Log-probabilities are added and not divided by the length.
    """
    return tuple(
        _beam_caption(decoder, one[None], width=width, max_words=max_words) for one in features
    )


class _Beam(NamedTuple):
    """The prefixes of one caption that are followed, the most probable first."""

    state: State
    words: Tensor  # N,t, the start first
    chances: Tensor  # N
    maps: Tensor  # N,t-1,K

    def of(self, rows: Tensor) -> "_Beam":
        """Some of the prefixes, or some of them again."""
        state = State(self.state.hidden[rows], self.state.memory[rows])
        return _Beam(state, self.words[rows], self.chances[rows], self.maps[rows])


def _beam_caption(
    decoder: CaptionDecoder, features: Tensor, *, width: int, max_words: int
) -> Caption:
    cells, state = decoder.begin(features)
    unseen = features.new_empty(1, 0, cells.keys.shape[1])
    beam = _Beam(state, _starts(features)[:, None], features.new_zeros(1), unseen)
    best: Caption | None = None
    for _ in range(max_words):
        beam = _grown(decoder, beam, cells, width)
        ended = beam.words[:, -1] == END
        best = _better(best, beam.of(ended), features)
        beam = beam.of(~ended)
        if best and (not len(beam.words) or best.log_probability >= float(beam.chances[0])):
            return best  # a prefix can only lose by going on
    best = _better(best, beam, features)
    assert best is not None
    return best


def _grown(decoder: CaptionDecoder, beam: _Beam, cells: Cells, width: int) -> _Beam:
    """The `width` most probable prefixes that are one word longer."""
    same = Cells(*(part.expand(len(beam.words), -1, -1) for part in cells))
    state, attention = decoder.step(beam.words[:, -1], same, beam.state)
    chances = _chances(decoder, state)  # N,V
    totals = (beam.chances[:, None] + chances).flatten()
    order = totals.argsort(descending=True, stable=True)[:width]
    order = order[totals[order].isfinite()]
    maps = torch.cat([beam.maps, attention[:, None]], dim=1)
    longer = _Beam(state, beam.words, beam.chances, maps).of(order // chances.shape[1])
    words = (order % chances.shape[1])[:, None]
    return longer._replace(words=torch.cat([longer.words, words], dim=1), chances=totals[order])


def _better(best: Caption | None, beam: _Beam, features: Tensor) -> Caption | None:
    """The first prefix of the beam as a caption, where it is more probable than `best`."""
    if not len(beam.words) or (best and best.log_probability >= float(beam.chances[0])):
        return best
    said = beam.words[0, 1:].tolist()
    words = tuple(said[:-1] if said[-1] == END else said)
    maps = beam.maps[0, : len(words)].reshape(-1, *features.shape[2:])
    return Caption(words, float(beam.chances[0]), maps)


def _starts(features: Tensor) -> Tensor:
    return torch.full((len(features),), START, device=features.device)


def _chances(decoder: CaptionDecoder, state: State) -> Tensor:
    """Log-probabilities B,V of what is said next; of what is never said, minus infinity."""
    chances = decoder.logits(state.hidden).log_softmax(dim=1)
    chances[:, _UNSAYABLE] = -torch.inf
    return chances
