"""The adjective-noun pairs of VSO (Borth et al., MM 2013) with their sentiment, as published."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.labels import Polarity
from training.data.rows import BadRow, decoded

_SENTIMENT = r"\[sentiment: (?P<sentiment>-?\d+\.\d+)\]"
_ADJECTIVE = re.compile(rf"(?P<number>\d+)\. (?P<name>\S+) {_SENTIMENT} \[#images: [\d,]+\]")
_PAIR = re.compile(rf"\t(?P<name>\S+) {_SENTIMENT} \[#imgs: [\d,]+\]")

_SAMPLE = "0"
"""The number of the block at the top that shows the form and holds no pair."""


@dataclass(frozen=True, slots=True)
class AnpList:
    """Adjectives and pairs (`misty_woods`) with their sentiment from -2 to 2, in their order."""

    adjectives: Mapping[str, float]
    pairs: Mapping[str, float]

    def nouns(self) -> frozenset[str]:
        """The nouns of the pairs."""
        return frozenset(pair.partition("_")[2] for pair in self.pairs)

    def polarity(self, pair: str) -> Polarity:
        """The sign of a pair's sentiment, else of its adjective's; neutral where none is listed."""
        adjective = self.adjectives.get(pair.partition("_")[0], 0.0)
        return _sign(self.pairs.get(pair, adjective))


def _sign(sentiment: float) -> Polarity:
    if sentiment == 0:
        return Polarity.NEUTRAL
    return Polarity.POSITIVE if sentiment > 0 else Polarity.NEGATIVE


def read_anp_list(content: bytes, *, file: str) -> AnpList:
    """The list in a text file such as `3244ANPs.txt`: an adjective, then its pairs indented."""
    adjectives: dict[str, float] = {}
    pairs: dict[str, float] = {}
    adjective, in_sample = "", False
    for number, line in enumerate(decoded(content, file).splitlines(), start=1):
        if found := _ADJECTIVE.fullmatch(line.rstrip()):
            adjective, in_sample = found["name"], found["number"] == _SAMPLE
            known = adjectives
        elif found := _PAIR.fullmatch(line.rstrip()):
            known = pairs
        elif line.strip():
            expected = "'1. old [sentiment: 0.51] [#images: 9]', or a tab and a pair of it"
            raise BadRow.at(file, number, given=repr(line), expected=expected)
        if found and not in_sample:
            _check(found["name"], adjective, known, file, number)
            known[found["name"]] = float(found["sentiment"])
    return AnpList(adjectives, pairs)


def _check(name: str, adjective: str, known: Mapping[str, float], file: str, line: int) -> None:
    if name in known:
        raise BadRow.at(file, line, given=f"{name!r} again", expected="it once")
    if name != adjective and not name.startswith(f"{adjective}_"):
        raise BadRow.at(file, line, given=f"pair {name!r}", expected=f"one with {adjective}")
