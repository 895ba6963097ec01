"""The words that captions are made of: a tokeniser, and a vocabulary in a written-down order."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator

from training.errors import TrainingError

SPECIAL = ("<padding>", "<start>", "<end>", "<unknown>")
"""Not words, and nothing the tokeniser could find; they come first in every vocabulary."""

PADDING, START, END, UNKNOWN = range(len(SPECIAL))

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


class NoWords(TrainingError):
    """The captions hold no word that is frequent enough."""


def words_of(caption: str) -> tuple[str, ...]:
    """The lower-case words of a caption; an apostrophe inside a word is part of it."""
    plain = unicodedata.normalize("NFC", caption.lower()).replace(
        "\N{RIGHT SINGLE QUOTATION MARK}", "'"
    )
    return tuple(_WORD.findall(plain))


def _targets(caption: str, max_words: int) -> tuple[str, ...]:
    """What is to be said, word by word; a caption that was cut does not end."""
    words = words_of(caption)
    return words[:max_words] if len(words) > max_words else (*words, SPECIAL[END])


class Vocabulary(BaseModel):
    """Entries by their index, and how often training captions say each; it is kept as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: tuple[str, ...]
    counts: tuple[NonNegativeInt, ...]

    @model_validator(mode="after")
    def _entries_have_an_order(self) -> Self:
        if self.entries[: len(SPECIAL)] != SPECIAL:
            given = self.entries[: len(SPECIAL)]
            raise ValueError(f"the first entries are {given}, expected {SPECIAL}")
        if len(set(self.entries)) != len(self.entries) or len(self.counts) != len(self.entries):
            raise ValueError(
                f"{len(self.entries)} entries, {len(set(self.entries))} of them distinct, with "
                f"{len(self.counts)} counts; expected distinct entries with a count each"
            )
        return self

    @classmethod
    def of(cls, captions: Iterable[str], *, min_count: int, max_words: int) -> Self:
        """The words said at least `min_count` times: the more frequent first, then by alphabet.

        What `encode` would cut is not counted. Raises NoWords where no word is left.
        """
        said = Counter(chain.from_iterable(_targets(caption, max_words) for caption in captions))
        ends = said.pop(SPECIAL[END], 0)
        frequent = {word: count for word, count in said.items() if count >= min_count}
        if not frequent:
            raise NoWords(
                f"{len(said)} different words in the training captions, none of them "
                f"{min_count} times; expected at least one: lower min_count or give more captions"
            )
        words = sorted(frequent, key=lambda word: (-frequent[word], word))
        unknown = said.total() - sum(frequent.values())
        counts = (0, 0, ends, unknown, *(frequent[word] for word in words))
        return cls(entries=(*SPECIAL, *words), counts=counts)

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def _indices(self) -> Mapping[str, int]:
        return {entry: index for index, entry in enumerate(self.entries)}

    def encode(self, caption: str, *, max_words: int) -> tuple[int, ...]:
        """The indices of at most `max_words` words, and of the end unless the caption was cut."""
        return tuple(self._indices.get(word, UNKNOWN) for word in _targets(caption, max_words))

    def decode(self, indices: Sequence[int]) -> str:
        """The words up to the end, with spaces between them."""
        stop = indices.index(END) if END in indices else len(indices)
        silent = (PADDING, START)
        return " ".join(self.entries[index] for index in indices[:stop] if index not in silent)

    def log_frequencies(self) -> NDArray[np.float32]:
        """The log of every entry's share of what is said; one never said counts as said once."""
        counts = np.maximum(np.asarray(self.counts, dtype=np.float64), 1)
        return np.asarray(np.log(counts / counts.sum()), dtype=np.float32)
