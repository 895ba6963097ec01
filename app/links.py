"""Images that a request names by their address: fetched or refused, each in its place."""

from collections.abc import Sequence
from typing import Protocol

from app.errors import RequestError, UrlRefused
from app.uploads import Link, Upload

Content = bytes | RequestError


class Links(Protocol):
    """What fetches images."""

    async def fetched(self, links: Sequence[Link], *, deadline_s: float) -> list[Content]:
        """The bytes of each, or why there are none; raises DeadlinePassed."""
        ...


class NoLinks:
    """Fetches none: the operator allowed no host."""

    async def fetched(self, links: Sequence[Link], *, deadline_s: float) -> list[Content]:
        """A refusal for each."""
        del deadline_s
        return [
            UrlRefused(
                f"images[{link.place}].url: images are not fetched from addresses here; send the "
                "bytes, or let the operator allow the host (SENTISCOPE_URL_HOSTS)"
            )
            for link in links
        ]


async def resolved(
    images: Sequence[Upload | Link], links: Links, *, deadline_s: float
) -> list[Upload]:
    """The images with those that are links fetched, in their order; raises DeadlinePassed."""
    wanted = [each for each in images if isinstance(each, Link)]
    contents = iter(await links.fetched(wanted, deadline_s=deadline_s) if wanted else ())
    return [
        each if isinstance(each, Upload) else Upload(each.filename, next(contents))
        for each in images
    ]
