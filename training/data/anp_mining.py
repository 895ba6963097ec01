"""Adjective-noun pairs out of captions, as weak labels of the images that these describe."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

COLOURS = (
    "black",
    "blue",
    "brown",
    "golden",
    "gray",
    "green",
    "orange",
    "pink",
    "purple",
    "red",
    "silver",
    "tan",
    "white",
    "yellow",
)
"""Adjectives beyond those of a list; captions say little else of how things look."""

SPELLINGS: Mapping[str, str] = {"grey": "gray"}
"""Words that count as another spelling of the same adjective."""

IRREGULAR: Mapping[str, str] = {
    "children": "child",
    "feet": "foot",
    "knives": "knife",
    "leaves": "leaf",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "teeth": "tooth",
    "wolves": "wolf",
    "women": "woman",
}
"""Plurals that no rule of `singulars` makes; compounds such as `snowmen` stay as they are."""

_TOKEN = re.compile(r"[a-z0-9]+(?:['/-][a-z0-9]+)*|[^\sa-z0-9]")
"""A word, or a mark, which keeps the words around it from being neighbours."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The adjectives and nouns that make pairs."""

    adjectives: frozenset[str]
    nouns: frozenset[str]

    @classmethod
    def of(cls, adjectives: Iterable[str], nouns: Iterable[str]) -> Self:
        """The words given and COLOURS; `men` brings `man` with it, though a list has it alone."""
        known = frozenset(nouns)
        singular = (IRREGULAR[noun] for noun in known if noun in IRREGULAR)
        return cls(frozenset((*adjectives, *COLOURS)), known.union(singular))

    def pairs(self, captions: Iterable[str]) -> frozenset[str]:
        """The pairs, such as `black_dog`, that the captions hold: an adjective right before a noun.

        A plural counts as its singular where that is a noun of the vocabulary.
        """
        return frozenset(pair for caption in captions for pair in self._pairs(caption))

    def _pairs(self, caption: str) -> Iterator[str]:
        for before, after in pairwise(_TOKEN.findall(caption.lower())):
            adjective = SPELLINGS.get(before, before)
            noun = next((word for word in (*singulars(after), after) if word in self.nouns), None)
            if adjective in self.adjectives and noun is not None:
                yield f"{adjective}_{noun}"


def singulars(noun: str) -> tuple[str, ...]:
    """What `noun` may be the plural of, the likeliest first; nothing where it looks singular."""
    if noun in IRREGULAR:
        return (IRREGULAR[noun],)
    if noun.endswith("ies"):
        return (f"{noun[:-3]}y", noun[:-1])
    if noun.endswith(("ches", "shes", "ses", "xes", "zes", "oes")):
        return (noun[:-1], noun[:-2])
    return (noun[:-1],) if noun.endswith("s") and not noun.endswith("ss") else ()


def one_pair_each(found: Mapping[str, frozenset[str]], *, min_images: int) -> dict[str, str]:
    """One pair for each image (image -> pairs found), of pairs that have `min_images` images.

    An image with several pairs gets the one that the fewest images have: frequent pairs can spare
    it, and the rare ones would be lost. Where that leaves a pair with too few images, the one with
    the fewest is given up and its images go to their other pairs, until every pair has enough.
    """
    counts = Counter(pair for pairs in found.values() for pair in pairs)
    kept = {pair for pair, count in counts.items() if count >= min_images}
    rarest_first = {
        image: sorted(pairs & kept, key=lambda pair: (counts[pair], pair))
        for image, pairs in found.items()
    }
    while True:
        chosen = {
            image: next(pair for pair in pairs if pair in kept)
            for image, pairs in rarest_first.items()
            if not kept.isdisjoint(pairs)
        }
        sizes = Counter(chosen.values())
        short = [pair for pair in kept if sizes[pair] < min_images]
        if not short:
            return chosen
        kept.remove(min(short, key=lambda pair: (sizes[pair], pair)))
