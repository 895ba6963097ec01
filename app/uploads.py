"""One image as it came in."""

import re
from dataclasses import dataclass
from pickle import PickleBuffer
from typing import Any, SupportsIndex
from urllib.parse import unquote

from app.errors import RequestError

_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of an image, or why there are none; the name is the client's."""

    filename: str | None
    content: bytes | RequestError

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """The bytes go apart to another process, without a copy."""
        content = (
            self.content if isinstance(self.content, RequestError) else PickleBuffer(self.content)
        )
        return Upload, (self.filename, content)


@dataclass(frozen=True, slots=True)
class Link:
    """The address of an image that is to be fetched."""

    url: str
    place: int
    """Among the images of its request."""

    @property
    def filename(self) -> str | None:
        """The last part of its path."""
        return plain_name(unquote(re.split("[?#]", self.url, maxsplit=1)[0]))


def plain_name(name: str) -> str | None:
    """A file's name without folders and control characters, not longer than is sensible."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(filter(str.isprintable, last))[:_LONGEST_NAME].strip() or None
