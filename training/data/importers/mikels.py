"""Mikels' eight emotions by the names that data sets give them."""

from models.labels import MIKELS

_ALIASES = {"content": "contentment", "sad": "sadness"}


def mikels_label(name: str) -> str | None:
    """The emotion that a folder or a column is named after; none: it is none of the eight."""
    lowered = name.lower()
    label = _ALIASES.get(lowered, lowered)
    return label if label in MIKELS.names else None
