"""Images that are not what they should be, made anew from one seed: the same every time."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.fuzz.damage import DAMAGES
from tests.fuzz.hostile import hostile
from tests.fuzz.seeds import seeds

_SEED = 20_23


@dataclass(frozen=True, slots=True)
class Sample:
    """Some bytes, and what was done to them."""

    name: str
    content: bytes
    is_damage: bool
    """Of a whole image; else it was made with intent."""


def corpus() -> Iterator[Sample]:
    """Every damage to every seed, then what is hostile."""
    for kind, content in seeds().items():
        for damage, damaged in DAMAGES.items():
            draw = random.Random(f"{_SEED} {kind} {damage}")
            for number, found in enumerate(damaged(content, draw)):
                yield Sample(f"{kind}.{damage}.{number}", found, is_damage=True)
    for name, found in hostile().items():
        yield Sample(name, found, is_damage=False)
