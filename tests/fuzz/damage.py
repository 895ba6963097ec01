"""What can happen to the bytes of a file on their way: cut, flipped, overwritten, moved."""

import random
from collections.abc import Callable, Iterator, Mapping

Damage = Callable[[bytes, random.Random], Iterator[bytes]]
"""Damaged copies of one file."""

_HEADER = 48
"""Bytes at the start of a file where every bit counts: signature, sizes, kinds."""


def cut(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """Every truncation of the first bytes, and many of the rest."""
    rest = range(_HEADER, len(content))
    places = [*range(1, _HEADER), *draw.sample(rest, min(len(rest), 100))]
    return (content[:place] for place in places)


def header_bit(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """One bit, near the start; each byte has its turn."""
    for place in range(min(_HEADER, len(content))):
        yield _with(content, place, bytes([content[place] ^ 1 << draw.randrange(8)]))


def body_bits(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """One to sixteen bits, anywhere."""
    for count in (1, 1, 1, 1, 2, 4, 8, 16) * 3:
        damaged = bytearray(content)
        for _ in range(count):
            damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        yield bytes(damaged)


def extreme_bytes(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """Numbers become the smallest, the largest, and those around a sign."""
    for value in (b"\0", b"\xff", b"\x7f", b"\x80"):
        for width in (1, 2, 4, 4):
            place = draw.randrange(2, len(content) - width)
            yield _with(content, place, value * width)


def header_numbers(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """Four bytes of the header at once: sizes that nothing can have."""
    del draw
    for place in range(4, min(_HEADER, len(content) - 4), 2):
        yield _with(content, place, b"\xff\xff\xff\xff")
        yield _with(content, place, b"\0\0\0\0")


def wiped(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """A stretch is zero, as after a lost block."""
    for length in (8, 16, 64, 256):
        place = draw.randrange(8, max(9, len(content) - length))
        yield _with(content, place, bytes(min(length, len(content) - place)))


def moved(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """Parts are missing, twice there, exchanged, or something is between them."""
    for _ in range(4):
        first, second = sorted(draw.sample(range(8, len(content)), 2))
        yield content[:first] + content[second:]
        yield content[:second] + content[first:]
        yield content[:first] + content[second:] + content[first:second]
        yield content[:first] + draw.randbytes(draw.randrange(1, 64)) + content[first:]


def followed(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """Something comes after the end: zeros, noise, the file once more."""
    yield content + bytes(1000)
    yield content + draw.randbytes(1000)
    yield content * 3


def _with(content: bytes, place: int, piece: bytes) -> bytes:
    return content[:place] + piece + content[place + len(piece) :]


DAMAGES: Mapping[str, Damage] = {
    damage.__name__: damage
    for damage in (
        cut,
        header_bit,
        body_bits,
        extreme_bytes,
        header_numbers,
        wiped,
        moved,
        followed,
    )
}
